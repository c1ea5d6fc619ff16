"""FastAGI: the server that takes callers in, and one session for each."""
