"""Delivery from a node to the collector of its fleet, end to end: what is stored, what is missing, what goes again."""
