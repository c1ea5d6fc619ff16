"""Counting rings: from what Asterisk tells to offers, legs, pickups and the outcome of every stay in a queue."""
