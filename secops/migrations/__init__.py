"""One linear history of the database's shape, brought to its head at start.

``upgrade(engine)`` takes an engine of ``secops.adapters.database``, so that migrations run
on the very same connection settings as everything else.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

_UPGRADE_LOCK = 7_305_771_001
"""PostgreSQL advisory lock: two starting nodes don't migrate at once."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def heads() -> tuple[str, ...]:
    """Return the revisions that nothing follows; a sound history has exactly one."""
    return tuple(ScriptDirectory.from_config(_config()).get_heads())


def current(engine: Engine) -> str | None:
    """Return the revision the database is at, None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Bring the database to the head, in one transaction; does nothing when it is there."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        command.upgrade(_config(connection), "head")
