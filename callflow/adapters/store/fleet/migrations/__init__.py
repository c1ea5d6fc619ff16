"""Alembic's environment and versions, shipped with the package and run by `migrate`."""
