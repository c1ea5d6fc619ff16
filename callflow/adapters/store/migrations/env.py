"""Run by Alembic: migrates over the connection it is given, inside the transaction that `migrate` has begun."""

from alembic import context

from callflow.records.kind import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
