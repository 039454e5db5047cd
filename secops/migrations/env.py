"""Alembic's entry: runs the revisions on the connection that ``upgrade`` passes in."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
