"""The database of a fleet, in PostgreSQL: records of many nodes, collected from their events."""

HEAD = "0006"
"""The newest migration, so that readers need not load Alembic, nor a daemon the tables."""
