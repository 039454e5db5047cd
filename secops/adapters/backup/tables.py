"""The rows of a PostgreSQL as files of COPY's text form, and back into an empty database.

Everything is read in one exported snapshot, so door, ledger and state are of one instant;
whoever must look at the same instant opens the snapshot's URL. No program of
PostgreSQL's is needed, and its version may differ.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, MetaData, Table, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from secops.adapters.backup.archive import BackupRejected
from secops.adapters.database.engine import SNAPSHOT, make_engine

FOLDER: Final = "database"
_SCHEMA: Final = "schema.json"
_REVISIONS: Final = "alembic_version"
_CHUNK: Final = 1 << 20

Migrate = Callable[[Engine], None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An instant of the database, as long as it is held; ``url`` looks at the same one."""

    url: str
    connection: Connection

    def dump(self, folder: Path) -> None:
        """Write every table under ``folder``."""
        (folder / FOLDER).mkdir(mode=0o700)
        _write(self.connection, folder / FOLDER)


@contextlib.contextmanager
def exported_snapshot(url: str) -> Iterator[Snapshot]:
    """Hold an instant of the PostgreSQL at ``url``."""
    engine = make_engine(url, read_only=True)
    try:
        with engine.begin() as connection:
            name: str = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            same = make_url(url).update_query_dict({SNAPSHOT: name})
            yield Snapshot(same.render_as_string(hide_password=False), connection)
    finally:
        engine.dispose()


def load_tables(url: str, folder: Path, migrate: Migrate) -> None:
    """Fill the empty database at ``url`` with what ``Snapshot.dump`` wrote under ``folder``.

    ``migrate`` makes the tables. Raises ``BackupRejected`` where the database is not empty,
    or this release makes other tables; then nothing of it stays there.
    """
    engine = make_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise BackupRejected("the database is not empty")
        try:
            migrate(engine)
            with engine.begin() as connection:
                _read(connection, folder / FOLDER)
        except (SQLAlchemyError, BackupRejected, OSError, ValueError, KeyError) as error:
            drop_tables(url)
            if isinstance(error, BackupRejected):
                raise
            msg = f"the tables can't be filled: {type(error).__name__}"
            raise BackupRejected(msg) from error
    finally:
        engine.dispose()


def drop_tables(url: str) -> None:
    """Empty the database again that ``load_tables`` had found empty."""
    engine = make_engine(url)
    with engine.begin() as connection:
        metadata = MetaData()
        metadata.reflect(connection)
        metadata.drop_all(connection)
    engine.dispose()


def _write(connection: Connection, folder: Path) -> None:
    tables = _tables(connection)
    schema = {
        "revision": _revision(connection),
        "tables": _columns(tables),
        "sequences": _sequences(connection),
    }
    (folder / _SCHEMA).write_bytes(orjson.dumps(schema))
    cursor = _cursor(connection)
    for table in tables:
        with (
            cursor.copy(f"COPY {_named(connection, table)} TO STDOUT") as rows,
            (folder / f"{table.name}.copy").open("wb") as stream,
        ):
            for chunk in rows:
                stream.write(chunk)


def _read(connection: Connection, folder: Path) -> None:
    schema = orjson.loads((folder / _SCHEMA).read_bytes())
    tables = _tables(connection)
    if (schema["revision"], schema["tables"]) != (_revision(connection), _columns(tables)):
        raise BackupRejected("it was made by another release: restore it with that one")
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(table.name) for table in tables)
    connection.exec_driver_sql(f"TRUNCATE {names}")
    cursor = _cursor(connection)
    for table in tables:
        with (
            (folder / f"{table.name}.copy").open("rb") as stream,
            cursor.copy(f"COPY {_named(connection, table)} FROM STDIN") as rows,
        ):
            while chunk := stream.read(_CHUNK):
                rows.write(chunk)
    known = _sequences(connection)
    for name, last in schema["sequences"].items():
        if name not in known:
            raise BackupRejected("it counts something that this release does not count")
        # a deleted row's number must not be given again: readers' positions would lie
        statement = text("SELECT setval(CAST(:name AS regclass), :last)")
        connection.execute(statement, {"name": quote(name), "last": last})


def _tables(connection: Connection) -> list[Table]:
    """Return all tables, those that others refer to first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _REVISIONS]


def _columns(tables: Sequence[Table]) -> dict[str, list[str]]:
    return {str(table.name): [str(column.name) for column in table.columns] for table in tables}


def _revision(connection: Connection) -> str:
    found: str = connection.execute(text(f"SELECT version_num FROM {_REVISIONS}")).scalar_one()  # noqa: S608 - a constant
    return found


def _sequences(connection: Connection) -> dict[str, int]:
    statement = text(
        "SELECT sequencename, coalesce(last_value, 1) FROM pg_sequences"
        " WHERE schemaname = current_schema() ORDER BY 1"
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _named(connection: Connection, table: Table) -> str:
    """Return the table and its columns as COPY takes them; names come from the catalogue."""
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(table.name)} ({', '.join(quote(column.name) for column in table.columns)})"


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()
