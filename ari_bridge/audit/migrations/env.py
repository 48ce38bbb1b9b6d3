"""What Alembic runs: on the connection that it is given, or, without one, to print the SQL (`upgrade --sql`)."""

from alembic import context

from ari_bridge.audit.schema import VERSION_TABLE, metadata

connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(
        url=context.config.get_main_option("sqlalchemy.url"),
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        literal_binds=True,
    )
else:
    context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
