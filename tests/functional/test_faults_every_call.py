"""Each fallible call of the spine fails once, in turn: nothing fails open, nothing hangs."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from secops.adapters.database.tables import tasks
from secops.adapters.journal import segments
from secops.adapters.journal.reader import JournalReader
from secops.adapters.journal.writer import JournalOptions, JournalWriter
from secops.adapters.spine import Spine
from secops.kernel.actors import system_actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import SecopsError
from secops.kernel.ids import SystemRandomness
from secops.kernel.jobs import Task
from secops.kernel.trail import Act
from tests.fakes.parts import database_spine

UNITS = 3


def sqlite_failure(code: int) -> Exception:
    error = dbapi2.OperationalError("made up")
    error.sqlite_errorcode = code
    return OperationalError("statement", None, error)


DATABASE_FAILURES: dict[str, Callable[[], Exception]] = {
    "BUSY": lambda: sqlite_failure(dbapi2.SQLITE_BUSY),
    "IOERR": lambda: sqlite_failure(dbapi2.SQLITE_IOERR),
    "FULL": lambda: sqlite_failure(dbapi2.SQLITE_FULL),
    "MemoryError": MemoryError,
}


class FailOnce:
    """Raises at call number ``at``; counts all calls."""

    def __init__(self, failure: Callable[[], Exception]) -> None:
        self.failure = failure
        self.at = 0
        self.calls = 0

    def reset(self, at: int) -> None:
        self.at, self.calls = at, 0

    def __call__(self, *_: Any) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise self.failure()


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    made = database_spine(tmp_path, clock=SystemClock())
    yield made
    made.close()


def change(spine: Spine, name: str) -> bool:
    """Change state with its record; tell whether that was acknowledged."""

    def work(tx: Any) -> None:
        spine.parts.tasks.create(tx, Task(name, "org_root", "state", "done", 1, 1, 0))
        tx.record(Act("test.state", system_actor("test"), f"x:{name}"))

    try:
        spine.transactions.run(work)
    except (SecopsError, MemoryError):
        return False
    return True


def states(spine: Spine) -> set[str]:
    with spine.engine.begin() as connection:
        return set(connection.execute(select(tasks.c.id)).scalars())


def recorded(spine: Spine) -> set[str]:
    records = spine.doors.read_after("database", 0, 1 << 40).records
    return {record.partition(b'"target":"x:')[2].partition(b'"')[0].decode() for record in records}


@pytest.mark.parametrize("kind", sorted(DATABASE_FAILURES))
def test_no_failing_database_call_fails_open_or_blocks_the_next(spine: Spine, kind: str) -> None:
    fail = FailOnce(DATABASE_FAILURES[kind])
    for name in ("before_cursor_execute", "commit", "begin"):
        event.listen(spine.engine, name, fail)
    acked: set[str] = set()
    refused = call = 0
    while fail.calls >= fail.at:
        call += 1
        fail.reset(call)
        for unit in range(UNITS):
            name = f"{call}-{unit}"
            if change(spine, name):
                acked.add(name)
            else:
                refused += 1
        if fail.calls < fail.at:
            break
    fail.reset(-1)
    assert change(spine, "after")
    print(f"{kind}: {call - 1} calls failed once, {refused} refusals, {len(acked)} acknowledged")
    assert refused == call - 1
    assert states(spine) == recorded(spine) == acked | {"after"}


JOURNAL_FAILURES = {
    "ENOSPC": errno.ENOSPC,
    "EIO": errno.EIO,
    "EROFS": errno.EROFS,
}


@pytest.mark.parametrize("kind", sorted(JOURNAL_FAILURES))
def test_no_failing_call_of_the_journal_acknowledges_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    code = JOURNAL_FAILURES[kind]
    fail = FailOnce(lambda: OSError(code, os.strerror(code)))
    real_write, real_sync = segments.write_all, os.fdatasync
    runs = refused = 0
    while fail.calls >= fail.at:
        runs += 1
        fail.reset(runs)
        folder = tmp_path / str(runs)

        def write(descriptor: int, content: bytes, offset: int) -> None:
            fail()
            real_write(descriptor, content, offset)

        def sync(descriptor: int) -> None:
            fail()
            real_sync(descriptor)

        monkeypatch.setattr("secops.adapters.journal.writer.write_all", write)
        monkeypatch.setattr("secops.adapters.journal.segments.write_all", write)
        options = JournalOptions(folder, "test", 16_384)
        writer = JournalWriter(options, SystemClock(), SystemRandomness(), sync=sync)
        acked = [number for number in range(8) if append(writer, number)]
        refused += 8 - len(acked)
        process = writer.process
        writer.close()
        there = numbers(folder, process)
        # what was refused may be there (it was never released); what was granted must be
        assert set(acked) <= set(there)
        assert len(there) == len(set(there))
    print(f"journal, {kind}: {runs - 1} calls failed once, {refused} refusals")
    # the filler's failures are made good in time, so not every one refuses somebody
    assert (runs > 10, refused > 10) == (True, True)


def append(writer: JournalWriter, number: int) -> bool:
    act = Act("test.hot", system_actor("test"), f"x:{number}", details={"pad": "x" * 2_000})
    try:
        writer.append([act])
    except SecopsError:
        return False
    return True


def numbers(folder: Path, process: str) -> list[int]:
    if process not in JournalReader(folder).processes():
        return []
    records = JournalReader(folder).read(process, 0).records
    return [int(r.partition(b'"target":"x:')[2].partition(b'"')[0]) for r in records]
