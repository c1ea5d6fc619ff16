"""Screening: one silent or quiet caller at a time, from arrival to conclusion. Pure: no clock, no socket, no file."""
