"""Hearing callers: voice, level, tones and noise in their audio. No sockets, no clock: samples in, findings out."""
