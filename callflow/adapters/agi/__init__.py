"""FastAGI: the server that accepts calls, and one session for each call."""
