"""Many rows for a bench, without the hours that making each would take."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import text

from secops.adapters.database.engine import database_url, make_engine

_COUNTED: Final = (
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :many)"
)
_COPIED: Final = (
    ("kms_keys", "id", {"id": "'many-' || n.i", "name": "printf('many-%06d', n.i)"}),
    ("kms_key_grants", "key_id", {"key_id": "'many-' || n.i"}),
)


def copy_keys(home: Path, name: str, many: int) -> None:
    """Put ``many`` copies of the key's row and grants beside it, in the SQLite file of ``home``.

    Their tags are of the original, so that they are listed and can't be used.
    """
    engine = make_engine(database_url(home, None))
    with engine.begin() as connection:
        source = connection.execute(
            text("SELECT id FROM kms_keys WHERE name = :name AND mount = 'transit'"),
            {"name": name},
        ).scalar_one()
        for table, column, changed in _COPIED:
            rows = connection.execute(text(f"PRAGMA table_info({table})"))
            shown = ", ".join(changed.get(row.name, f"k.{row.name}") for row in rows)
            statement = (
                f"INSERT INTO {table} {_COUNTED} SELECT {shown}"  # noqa: S608 - our own names
                f" FROM {table} k, n WHERE k.{column} = :source"
            )
            connection.execute(text(statement), {"many": many, "source": source})
    engine.dispose()
