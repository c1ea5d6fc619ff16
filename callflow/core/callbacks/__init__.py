"""Call-backs: whom to call back, when, and how one is placed. Pure: it never reads a clock, a socket or a file."""
