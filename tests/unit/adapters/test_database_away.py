"""A database that is away, locked or too old: said plainly, never guessed around."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from secops.adapters.database import committer as committer_module
from secops.adapters.database import engine as engine_module
from secops.adapters.database.engine import make_engine
from secops.adapters.database.failures import (
    says_fsync_failed,
    says_read_only,
    says_store_is_down,
)
from secops.adapters.spine import Spine
from secops.kernel.errors import AuditUnavailable, Unavailable
from tests.fakes.parts import database_spine


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    made = database_spine(tmp_path)
    yield made
    made.close()


class PostgresqlError(Exception):
    def __init__(self, state: str | None) -> None:
        super().__init__("made up")
        self.sqlstate = state


def wrapped(original: Exception, *, invalidated: bool = False) -> OperationalError:
    return OperationalError("statement", None, original, connection_invalidated=invalidated)


def sqlite_error(code: int) -> Exception:
    error = dbapi2.OperationalError("made up")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("state", ["08006", "40P01", "53100", "57P01", "58030", "55P03", "XX000"])
def test_these_states_of_postgresql_say_that_nothing_can_commit(state: str) -> None:
    assert says_store_is_down(wrapped(PostgresqlError(state)))


@pytest.mark.parametrize("state", ["42P01", "22P02", "23505"])
def test_these_are_one_statements_fault(state: str) -> None:
    assert not says_store_is_down(wrapped(PostgresqlError(state)))


def test_a_broken_connection_has_no_state_and_is_down() -> None:
    class InterfaceError(Exception):
        sqlstate = None

    assert says_store_is_down(wrapped(InterfaceError()))
    assert says_store_is_down(wrapped(ValueError(), invalidated=True))
    assert not says_store_is_down(wrapped(ValueError()))


@pytest.mark.parametrize("code", [5, 10, 13, 11, 14, 10 | 12 << 8])
def test_these_codes_of_sqlite_say_that_nothing_can_commit(code: int) -> None:
    assert says_store_is_down(wrapped(sqlite_error(code)))


def test_only_a_failed_sync_is_beyond_trust() -> None:
    assert says_fsync_failed(wrapped(sqlite_error(10 | 4 << 8)))
    assert says_fsync_failed(wrapped(sqlite_error(10 | 5 << 8)))
    assert not says_fsync_failed(wrapped(sqlite_error(10 | 3 << 8)))


def test_a_write_within_a_read_is_known_on_both_databases() -> None:
    assert says_read_only(wrapped(sqlite_error(8)))
    assert says_read_only(wrapped(PostgresqlError("25006")))
    assert not says_read_only(wrapped(PostgresqlError("42P01")))


def test_a_database_that_can_not_be_read_is_unavailable(spine: Spine) -> None:
    def away(_: Any) -> None:
        raise wrapped(sqlite_error(dbapi2.SQLITE_CANTOPEN))

    with pytest.raises(Unavailable):
        spine.transactions.read(away)


def test_a_wrong_statement_in_a_read_is_the_programs_fault(spine: Spine) -> None:
    with pytest.raises(OperationalError):
        spine.transactions.read(lambda tx: tx.execute(text("SELECT * FROM nothing")))


def test_a_garbage_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    engine = make_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(Exception, match="not a database"):
        engine.connect()
    engine.dispose()


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "LEAST_SQLITE", (99, 0, 0))
    with pytest.raises(Unavailable, match="may lose commits"):
        make_engine("sqlite:////nowhere/x.db")


def test_a_database_locked_for_good_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_WAL_TRIES", 2)
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0)
    other = dbapi2.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    engine = make_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(Unavailable, match="locked"):
        engine.connect()
    other.close()
    engine.dispose()


def test_more_than_can_wait_is_refused(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer_module, "MAX_WAITING", 0)
    with pytest.raises(AuditUnavailable, match="too many"):
        spine.transactions.run(lambda _: None)
