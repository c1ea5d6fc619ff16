"""Run by Alembic: migrates over the connection it is given, inside the transaction that `migrate` has begun."""

from alembic import context

from callflow.adapters.store.fleet.schema import fleet_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=fleet_metadata,
    transactional_ddl=True,
)
context.run_migrations()
