"""The one function that makes database engines; migrations, services and tests use it.

SQLite comes from the ``pysqlite3`` wheel, for Debian's own can lose commits in WAL mode
(fixed in 3.51.3, sqlite.org/wal.html). A writing transaction is BEGIN IMMEDIATE, never
deferred: it waits at its beginning instead of failing in its middle.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path
from typing import Any, Final

from pysqlite3 import dbapi2
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from secops.kernel.errors import Unavailable

BUSY_SECONDS: Final = 10
"""How long a connection waits for another process's write."""
SNAPSHOT: Final = "secops_snapshot"
"""In a PostgreSQL URL's query: the exported snapshot that a read-only engine looks at."""
LEAST_SQLITE: Final = (3, 51, 3)
_SNAPSHOT_NAME: Final = re.compile(r"[0-9A-F-]{1,64}")
_WAL_TRIES: Final = 200
_POOL: Final = 16
_OVERFLOW: Final = 80


def database_url(home: Path, configured: str | None) -> str:
    """Return ``configured``, or the SQLite file in ``home``."""
    return configured or f"sqlite:///{home / 'secops.db'}"


def make_engine(url: str, *, read_only: bool = False) -> Engine:
    """Return an engine for ``sqlite:///PATH`` or ``postgresql://…`` (psycopg 3).

    A ``read_only`` engine refuses changes and sees one snapshot per transaction. Raises
    ``Unavailable`` for another kind of URL, or a SQLite that may lose commits.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        msg = "DATABASE_URL can't be read"
        raise Unavailable(msg) from error
    if parsed.drivername == "sqlite" and parsed.database:
        return _sqlite_engine(parsed, read_only=read_only)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _postgresql_engine(parsed, read_only=read_only)
    msg = "DATABASE_URL must be sqlite:///PATH or postgresql://…"
    raise Unavailable(msg)


def database_version(engine: Engine) -> str:
    """Return the version of the engine that really runs, e.g. ``SQLite 3.53.4``."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar_one()}"
        return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}"


class _HintingCompiler(SQLiteCompiler):
    """Writes a hint for SQLite (``INDEXED BY …``) behind its table.

    Without statistics SQLite takes an index over all rows before one over the few that a query
    is about; a store that knows better says so.
    """

    def get_from_hint_text(self, table: Any, text: Any) -> Any:  # noqa: ARG002 - SQLAlchemy's
        """Return the hint as it stands: it is a store's own constant."""
        return text


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    if dbapi2.sqlite_version_info < LEAST_SQLITE:
        msg = f"SQLite {dbapi2.sqlite_version} may lose commits; 3.51.3 or later is needed"
        raise Unavailable(msg)
    engine = create_engine(
        url,
        module=dbapi2,
        pool_size=_POOL,
        max_overflow=_OVERFLOW,
        connect_args={
            "isolation_level": None,  # no hidden BEGIN: the listener below begins
            "check_same_thread": False,  # the pool hands a connection to one thread at a time
            "timeout": BUSY_SECONDS,
        },
    )
    engine.dialect.statement_compiler = _HintingCompiler
    path = Path(str(url.database))

    @event.listens_for(engine, "do_connect")
    def make_private(*_: Any) -> None:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    @event.listens_for(engine, "connect")
    def set_up(raw: Any, _: Any) -> None:
        _set_wal(raw)
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        if read_only:
            raw.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # a reader never upgrades (query_only), so its deferred BEGIN is a mere snapshot
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _set_wal(raw: Any) -> None:
    """Switch to WAL; SQLite doesn't wait for another process that is just doing the same."""
    for _ in range(_WAL_TRIES):
        try:
            raw.execute("PRAGMA journal_mode=WAL").fetchone()
        except dbapi2.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != dbapi2.SQLITE_BUSY:
                raise
            time.sleep(0.02)
        else:
            return
    msg = "another process keeps the database locked"
    raise Unavailable(msg)


def _postgresql_engine(url: URL, *, read_only: bool) -> Engine:
    # a stopped process that holds the writer lock must not stop the others for ever
    options = (
        f"-c timezone=UTC -c lock_timeout={BUSY_SECONDS}s"
        " -c idle_in_transaction_session_timeout=30s"
    )
    if read_only:
        options += (
            " -c default_transaction_read_only=on"
            " -c default_transaction_isolation=repeatable\\ read"
        )
    snapshot = url.query.get(SNAPSHOT)
    engine = create_engine(
        url.difference_update_query([SNAPSHOT]).set(drivername="postgresql+psycopg"),
        pool_size=_POOL,
        max_overflow=_OVERFLOW,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": BUSY_SECONDS},
    )
    if snapshot is not None:
        if not isinstance(snapshot, str) or not _SNAPSHOT_NAME.fullmatch(snapshot):
            msg = "the snapshot's name is not one of PostgreSQL's"
            raise Unavailable(msg)

        @event.listens_for(engine, "begin")
        def look_at_snapshot(connection: Connection) -> None:
            connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")

    return engine
