"""Alembic's entry: runs the revisions on the connection that :mod:`farm.database.migrate` gives."""

from __future__ import annotations

from alembic import context

from farm.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
