"""Programs started for tests and demonstrations: a daemon, the ports they use, and the folders they work in."""
