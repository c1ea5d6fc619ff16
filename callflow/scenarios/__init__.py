"""Scenarios: what callers do and when, what must come of it, and the calls of a run as they are counted and shown."""
