"""The ring tracker: measures offers, legs, pickups and the outcome of every stay in a queue from Asterisk's events."""
