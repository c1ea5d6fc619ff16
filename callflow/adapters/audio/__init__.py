"""Callers' audio: Asterisk's AudioSocket connections, what is heard in them, and when it is listened to."""
