"""Call-backs: which callers, when, and how to place the call. Pure: it never reads a clock, a socket or a file."""
