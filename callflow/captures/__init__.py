"""Captures: what Asterisk and the daemon said to each other, recorded, made anonymous, replayed and judged."""
