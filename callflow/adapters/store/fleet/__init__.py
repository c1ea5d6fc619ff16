"""The database of a fleet, in PostgreSQL: records of many nodes, collected from their events."""
