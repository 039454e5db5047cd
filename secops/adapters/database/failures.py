"""Which database errors are the caller's, and which say that nothing can be committed."""

from __future__ import annotations

from typing import Final

from pysqlite3 import dbapi2
from sqlalchemy.exc import DBAPIError, IntegrityError

_SQLITE_DOWN: Final = frozenset(
    {
        dbapi2.SQLITE_BUSY,
        dbapi2.SQLITE_CANTOPEN,
        dbapi2.SQLITE_CORRUPT,
        dbapi2.SQLITE_FULL,
        dbapi2.SQLITE_INTERRUPT,
        dbapi2.SQLITE_IOERR,
        dbapi2.SQLITE_LOCKED,
        dbapi2.SQLITE_NOMEM,
        dbapi2.SQLITE_NOTADB,
        dbapi2.SQLITE_PROTOCOL,
        dbapi2.SQLITE_READONLY,
    }
)
_FSYNC_FAILED: Final = frozenset({10 | 4 << 8, 10 | 5 << 8})
"""SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC (sqlite.org/rescode.html)."""
_POSTGRESQL_DOWN: Final = frozenset({"08", "25", "40", "53", "55", "57", "58", "XX"})
"""Classes of SQLSTATE (PostgreSQL 15, appendix A): connection, state, rollback, resources,
lock, operator, system, internal."""


def says_store_is_down(error: DBAPIError) -> bool:
    """Tell whether ``error`` says that the store, not one statement, failed."""
    if isinstance(error, IntegrityError):
        return False
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_DOWN
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state[:2] in _POSTGRESQL_DOWN
    # psycopg gives no SQLSTATE when the connection broke
    return type(error.orig).__name__ in ("OperationalError", "InterfaceError")


def says_fsync_failed(error: DBAPIError) -> bool:
    """Tell whether the disk refused to make something durable: then nothing is trusted."""
    return getattr(error.orig, "sqlite_errorcode", None) in _FSYNC_FAILED


def says_read_only(error: DBAPIError) -> bool:
    """Tell whether a statement tried to change something within a read."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return code == dbapi2.SQLITE_READONLY or getattr(error.orig, "sqlstate", "") == "25006"
