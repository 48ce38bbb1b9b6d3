"""What Alembic runs: on the connection that it is given, or, without one, to print the SQL (`upgrade --sql`)."""

from alembic import context

from ari_bridge.cdr.schema import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(
        url=context.config.get_main_option("sqlalchemy.url"), target_metadata=metadata, literal_binds=True
    )
else:
    context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
