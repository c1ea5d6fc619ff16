"""Simulated callers: one scenario file, played on a pretend Asterisk or placed on a real one."""
