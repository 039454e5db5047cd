"""Group commit under faults: nobody waits for ever, nothing is granted without a commit."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from secops.adapters.database.committer import Committer
from secops.adapters.database.engine import database_url, database_version, make_engine
from secops.adapters.database.tables import leases
from secops.adapters.spine import Spine
from secops.kernel.errors import AuditUnavailable, Unavailable
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    made = database_spine(tmp_path)
    yield made
    made.close()


@pytest.fixture
def committer(spine: Spine) -> Iterator[Committer]:
    made = Committer(spine.engine, FakeClock())
    yield made
    made.close()


def put(name: str) -> Any:
    return leases.insert().values(name=name, owner="me", fence=1, until=1)


def names(engine: Engine) -> list[str]:
    with engine.begin() as connection:
        return list(connection.execute(select(leases.c.name)).scalars())


def failure(code: int) -> OperationalError:
    error = dbapi2.OperationalError("made up")
    error.sqlite_errorcode = code
    return OperationalError("COMMIT", None, error)


def fail_next_commit(engine: Engine, code: int) -> None:
    def fail(_: Any) -> None:
        event.remove(engine, "commit", fail)
        raise failure(code)

    event.listen(engine, "commit", fail)


def test_a_failed_commit_grants_nothing_and_the_next_one_works(
    spine: Spine, committer: Committer
) -> None:
    fail_next_commit(spine.engine, dbapi2.SQLITE_FULL)
    with pytest.raises(AuditUnavailable):
        committer.run(lambda tx: tx.execute(put("a")))
    committer.run(lambda tx: tx.execute(put("b")))
    assert names(spine.engine) == ["b"]


def test_after_a_failed_sync_this_process_commits_nothing_more(
    spine: Spine, committer: Committer
) -> None:
    fail_next_commit(spine.engine, 10 | 4 << 8)
    for name in ("a", "b", "c"):
        with pytest.raises(AuditUnavailable):
            committer.run(lambda tx, name=name: tx.execute(put(name)))
    assert names(spine.engine) == []


def test_a_full_disk_inside_one_unit_refuses_the_whole_batch(
    spine: Spine, committer: Committer
) -> None:
    def full(tx: Any) -> None:
        tx.execute(put("a"))
        raise failure(dbapi2.SQLITE_FULL)

    with pytest.raises(AuditUnavailable):
        committer.run(full)
    assert names(spine.engine) == []


def test_an_interrupt_inside_a_unit_comes_out_and_the_thread_lives(committer: Committer) -> None:
    def leave(_: Any) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        committer.run(leave)
    assert committer.run(lambda _: 5) == 5


def test_a_callback_that_fails_after_the_commit_is_no_refusal(
    spine: Spine, committer: Committer
) -> None:
    def work(tx: Any) -> str:
        tx.execute(put("a"))
        tx.after_commit.append(lambda: 1 // 0)
        return "done"

    assert committer.run(work) == "done"
    assert names(spine.engine) == ["a"]


def test_who_is_out_of_patience_is_refused_and_never_run(
    spine: Spine, committer: Committer
) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(_: Any) -> None:
        entered.set()
        release.wait(10)

    first = threading.Thread(target=committer.run, args=(slow,))
    first.start()
    assert entered.wait(10)
    with pytest.raises(AuditUnavailable, match="in time"):
        committer.run(lambda tx: tx.execute(put("late")), 0.05)
    release.set()
    first.join()
    committer.run(lambda tx: tx.execute(put("a")))
    assert names(spine.engine) == ["a"]


def test_another_process_that_keeps_the_lock_is_waited_for(
    spine: Spine, committer: Committer
) -> None:
    with spine.engine.connect() as other:
        transaction = other.begin()
        results: list[Any] = []
        waiting = threading.Thread(
            target=lambda: results.append(committer.run(lambda tx: tx.execute(put("a")) and 1))
        )
        waiting.start()
        other.execute(put("b"))
        transaction.commit()
        waiting.join()
    assert results == [1]
    assert names(spine.engine) == ["b", "a"] or names(spine.engine) == ["a", "b"]


def test_a_closed_committer_refuses(committer: Committer) -> None:
    committer.run(lambda _: None)
    committer.close()
    with pytest.raises(AuditUnavailable):
        committer.run(lambda _: None)


def test_what_waits_is_committed_before_the_end(spine: Spine) -> None:
    committer = Committer(spine.engine, FakeClock())
    threads = [
        threading.Thread(target=committer.run, args=(lambda tx, i=index: tx.execute(put(f"{i}")),))
        for index in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    committer.close()
    assert len(names(spine.engine)) == 20


def _commit_in_child(committer: Committer, exit_code: int) -> None:
    committer.run(lambda tx: tx.execute(put("child")))
    os._exit(exit_code)


@pytest.mark.service
def test_a_forked_child_commits_on_a_connection_of_its_own(
    spine: Spine, committer: Committer
) -> None:
    committer.run(lambda tx: tx.execute(put("parent")))
    child = multiprocessing.get_context("fork").Process(
        target=_commit_in_child, args=(committer, 7)
    )
    child.start()
    child.join(20)
    assert child.exitcode == 7
    committer.run(lambda tx: tx.execute(put("parent again")))
    assert sorted(names(spine.engine)) == ["child", "parent", "parent again"]


def test_sqlite_is_the_good_one_with_full_sync_and_foreign_keys(spine: Spine) -> None:
    assert database_version(spine.engine) == f"SQLite {dbapi2.sqlite_version}"
    with spine.engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    assert pragmas == expected


def test_a_writing_transaction_is_immediate_and_a_read_is_not(spine: Spine) -> None:
    with spine.engine.begin(), spine.read_engine.begin() as reading:
        assert reading.execute(text("SELECT 1")).scalar_one() == 1


def test_the_database_file_is_private(tmp_path: Path) -> None:
    engine = make_engine(database_url(tmp_path, None))
    with engine.connect():
        mode = (tmp_path / "secops.db").stat().st_mode & 0o777
    engine.dispose()
    assert mode == 0o600


@pytest.mark.parametrize(
    "url", ["", "mysql://x/y", "sqlite://", "nonsense", "sqlite+aiosqlite:///x"]
)
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(Unavailable):
        make_engine(url)


def test_starting_together_nobody_meets_a_locked_database(tmp_path: Path) -> None:
    gate, errors = threading.Barrier(8), []

    def call() -> None:
        engine = make_engine(database_url(tmp_path, None))
        gate.wait()
        try:
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE IF NOT EXISTS t (x)"))
        except SQLAlchemyError as error:
            errors.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
