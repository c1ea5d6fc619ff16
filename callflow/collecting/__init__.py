"""`callflow collect`: the events of a fleet's nodes, from the broker into the fleet's database."""
