"""Scenarios: what callers do and when, what is expected, and the calls of a run as they are counted and shown."""
