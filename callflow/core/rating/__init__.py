"""Ratings: when a caller is asked to rate a call, the three questions, and what they answered. Pure."""
