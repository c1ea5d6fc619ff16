"""Callers' audio: the AudioSocket server, and one tap for each call that callflow listens to."""
