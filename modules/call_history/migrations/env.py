"""Alembic's entry. It runs only on the connection that database.py hands over, which already holds the migration lock."""

from alembic import context

from modules.call_history.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
