"""Run the revisions on the connection, and in the transaction, of the caller."""

from __future__ import annotations

from alembic import context

# The caller's transaction holds everything, in SQLite too: either all of it happens
# or nothing.
context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    version_table="synthmark_revision",
)
context.run_migrations()
