"""One linear history of the database's shape, brought to its head at start.

``upgrade(engine)`` takes an engine of ``secops.adapters.database``, so that migrations run
on the very same connection settings as everything else.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

_NAMED: Final = re.compile(r'^(revision|down_revision) = "([a-z0-9_]+)"$', re.MULTILINE)
_VERSIONS: Final = "alembic_version"
_UPGRADE_LOCK = 7_305_771_001
"""PostgreSQL advisory lock: two starting nodes don't migrate at once."""


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - 11 MB that no worker needs

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@functools.cache
def heads() -> tuple[str, ...]:
    """Return the revisions that nothing follows; a sound history has exactly one.

    Read from the files as they are written, without alembic: a worker asks this at its start.
    """
    named: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for file in sorted((Path(__file__).parent / "versions").glob("[0-9]*.py")):
        for name, revision in _NAMED.findall(file.read_text()):
            named[name].add(revision)
    return tuple(sorted(named["revision"] - named["down_revision"]))


def current(engine: Engine) -> str | None:
    """Return the revision the database is at, None for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(_VERSIONS):
            return None
        found: str | None = connection.execute(
            text("SELECT version_num FROM alembic_version")
        ).scalar()
        return found


def upgrade(engine: Engine) -> None:
    """Bring the database to the head, in one transaction; does nothing when it is there."""
    from alembic import command  # noqa: PLC0415 - 11 MB that no worker needs

    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        command.upgrade(_config(connection), "head")
