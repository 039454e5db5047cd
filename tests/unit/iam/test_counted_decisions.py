"""Decisions are counted before the answer: a killed process loses none and doubles none."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from iam.adapters import tallies
from iam.adapters.tallies import PAGE, TallyFile, TallyFolder
from iam.ports import TallyBook
from iam.service.zero_trust.record import DecisionRecord
from secops.kernel.access import Question
from secops.kernel.clock import SECOND
from secops.kernel.errors import AuditUnavailable, Unavailable
from secops.kernel.permissions import Permission
from secops.kernel.transactions import Transaction
from secops.kernel.waiting import MustWait, without_waiting
from tests.fakes.clock import START
from tests.fakes.iam_home import IamHome, open_iam_home
from tests.fakes.randomness import FakeRandomness

READ = Permission("audits.ledger.read")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[IamHome]:
    opened = open_iam_home(tmp_path)
    try:
        yield opened
    finally:
        opened.close()


def record_of(home: IamHome) -> DecisionRecord:
    return home.services.decisions.record


def decide(home: IamHome, times: int = 1) -> bool:
    question = Question(home.actor("auditor"), READ, "ledger:all")
    return all(home.services.decisions.decide(question).allowed for _ in range(times))


def counted(home: IamHome) -> int:
    query = sa.text("SELECT coalesce(sum(count), 0) FROM iam_decisions")
    with home.spine.read_engine.begin() as connection:
        return int(connection.execute(query).scalar_one())


def folded(home: IamHome) -> int:
    """How many decisions the leaves of the ledger tell of."""
    leaves = [leaf for leaf in home.leaves() if leaf["target"] == "decisions:folded"]
    return sum(leaf["details"]["allowed"] + leaf["details"]["refused"] for leaf in leaves)


CHILD = """
import sys
from pathlib import Path
from secops.kernel.access import Question
from secops.kernel.permissions import Permission
from tests.fakes.iam_home import open_iam_home
home = open_iam_home(Path(sys.argv[1]), fold_seconds=0.02)
question = Question(home.actor("auditor"), Permission("audits.ledger.read"), "ledger:all")
decide, write = home.services.decisions.decide, sys.stdout.write
number = 0
while True:
    assert decide(question).allowed
    number += 1
    home.clock.advance(0.0001)
    write("%d\\n" % number)
    sys.stdout.flush()
"""


def killed_after(home: Path, seconds: float) -> int:
    """Let a process decide for so long, kill it, and return how many it had answered."""
    with subprocess.Popen(
        (sys.executable, "-c", CHILD, str(home)), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()  # the first answer: it has begun
        time.sleep(seconds)
        os.kill(child.pid, signal.SIGKILL)
        lines = child.stdout.read().splitlines()
    whole = [line for line in lines if line]
    return int(whole[-1]) if whole else 1


@pytest.mark.parametrize("kills", [2, pytest.param(12, marks=pytest.mark.deep)])
def test_kill_9_loses_no_decision_and_doubles_none(tmp_path: Path, kills: int) -> None:
    opened = open_iam_home(tmp_path)
    try:
        record_of(opened).flush()
        answered, before = 0, counted(opened)
        for number in range(kills):
            answered += killed_after(tmp_path, 0.05 + 0.031 * number)
        record_of(opened).recover()
        written = counted(opened) - before
        print(f"{answered} decisions answered in {kills} killed processes, {written} written,")
        print(f"{max(0, answered - written)} lost")
        # one that was counted and not answered any more may be there for each process
        assert answered <= written <= answered + kills
        assert folded(opened) == counted(opened)
        assert list((tmp_path / "decisions").glob("*.tally")) == []
    finally:
        opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> TallyFolder:
    return TallyFolder(tmp_path / "books", FakeRandomness())


def killed(book: TallyFile) -> None:
    """What a kill does: the lock goes, nothing is tidied up."""
    book.close(remove=False)


def test_what_a_page_says_is_what_was_counted(folder: TallyFolder) -> None:
    book = folder.open()
    place = book.begin(b"one", 1, 10)
    assert place is not None
    book.begin(b"two", 5, 11)
    book.count(place, 3, 12)
    killed(book)
    (found,) = folder.left_behind()
    ((page, lines),) = found.filled()
    assert page == found.page == 1
    assert [(line.text, line.count, line.first_at, line.last_at) for line in lines] == [
        (b"one", 3, 10, 12),
        (b"two", 5, 11, 11),
    ]
    found.close(remove=True)
    assert list(folder.left_behind()) == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=60))
def test_pages_turn_and_blank_without_losing_a_count(steps: list[tuple[int, int]]) -> None:
    import tempfile  # noqa: PLC0415 - hypothesis has no tmp_path of its own

    with tempfile.TemporaryDirectory() as place:
        shelf = TallyFolder(Path(place), FakeRandomness())
        book = shelf.open()
        written: dict[bytes, int] = {}
        open_lines: dict[bytes, tuple[int, int]] = {}
        expected: dict[bytes, int] = {}
        for text_number, kind in steps:
            text = b"line %d" % text_number
            if kind < 3:
                where, count = open_lines.get(text, (-1, 0))
                if where < 0:
                    begun = book.begin(text, 1, 1)
                    assert begun is not None
                    open_lines[text] = (begun, 1)
                else:
                    book.count(where, count + 1, 2)
                    open_lines[text] = (where, count + 1)
                expected[text] = expected.get(text, 0) + 1
            else:
                book.turn()
                open_lines = {}
                fold(book, written, keep=book.page)
        killed(book)
        (again,) = shelf.left_behind()
        fold(again, written, keep=0)
        again.close(remove=True)
        assert written == expected


def fold(book: TallyBook, into: dict[bytes, int], *, keep: int) -> None:
    for page, lines in book.filled():
        if page != keep:
            for line in lines:
                into[line.text] = into.get(line.text, 0) + line.count
            book.blank(page)


COUNTING = """
import sys
from pathlib import Path
from iam.adapters.tallies import TallyFolder
from secops.kernel.ids import SystemRandomness
book = TallyFolder(Path(sys.argv[1]), SystemRandomness()).open()
places = [book.begin(b"line %d" % each, 1, 1) for each in range(2)]
print(book.name, places[0], flush=True)
number = 1
while True:
    number += 1
    book.count(places[0], number, number)
    if number % 64 == 0 and places[1] is not None:
        places[1] = book.begin(b"more", 1, 1)
"""


def test_at_no_moment_does_a_page_say_less_than_was_counted(tmp_path: Path) -> None:
    with subprocess.Popen(
        (sys.executable, "-c", COUNTING, str(tmp_path)), stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            name, place = child.stdout.readline().split()
            with (tmp_path / f"{name}.tally").open("rb") as stream:
                page = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
                numbers, last = memoryview(page).cast("Q"), [0, 0]
                fallen = 0
                for _ in range(200_000):
                    # the bytes used, and the count of the first line
                    seen = [numbers[1], numbers[int(place) // 8 + 1]]
                    fallen += seen[0] < last[0] or seen[1] < last[1]
                    last = seen
                numbers.release()
                page.close()
        finally:
            child.kill()
    assert fallen == 0
    assert last[1] > 1


def test_a_living_processes_book_is_nobody_elses(folder: TallyFolder) -> None:
    book = folder.open()
    assert list(folder.left_behind()) == []
    book.close(remove=True)


def test_a_damaged_line_ends_what_is_believed(folder: TallyFolder, tmp_path: Path) -> None:
    book = folder.open()
    book.begin(b"first", 1, 1)
    place = book.begin(b"second", 1, 1)
    assert place is not None
    killed(book)
    path = next((tmp_path / "books").glob("*.tally"))
    content = bytearray(path.read_bytes())
    content[place + 34] ^= 1
    path.write_bytes(content)
    (found,) = folder.left_behind()
    assert [line.text for line in found.filled()[0][1]] == [b"first"]
    found.close(remove=True)


def test_what_is_cut_short_or_unfinished_stops_nobody(folder: TallyFolder, tmp_path: Path) -> None:
    books = tmp_path / "books"
    books.mkdir()
    (books / "1-cut.tally").write_bytes(b"short")
    (books / "1-unborn.new").write_bytes(b"")
    assert list(folder.left_behind()) == []
    assert not (books / "1-unborn.new").exists()


def test_a_full_page_is_written_and_counting_goes_on(
    home: IamHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "PAGE", 4_096)
    before = counted(home)
    for number in range(60):
        home.clock.advance(3_600)  # another hour is another question
        assert decide(home), number
    record_of(home).flush()
    assert counted(home) - before >= 60
    assert folded(home) == counted(home)


def test_a_unit_of_work_may_ask_though_the_page_is_full(
    home: IamHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "PAGE", 4_096)
    number = 8
    decide(home)
    record_of(home).flush()
    before, turned = counted(home), record_of(home)._page

    def work(_: Transaction) -> None:
        for _each in range(number):
            home.clock.advance(3_600)  # another hour is another question
            assert decide(home)

    home.spine.parts.transactions.run(work)
    assert record_of(home)._page == turned + 1
    record_of(home).flush()
    assert counted(home) - before >= number
    assert folded(home) == counted(home)


def test_a_page_with_lines_is_not_turned_to(folder: TallyFolder) -> None:
    book = folder.open()
    book.begin(b"one", 1, 1)
    assert book.turn()
    assert book.begin(b"two", 1, 1) is not None
    assert not book.turn()
    assert [page for page, _ in book.filled()] == [1, 2]
    book.blank(1)
    assert book.turn()
    assert book.page == 3
    book.close(remove=True)


def test_the_loop_does_not_wait_for_whoever_writes(home: IamHome) -> None:
    decide(home)
    with record_of(home)._folding, pytest.raises(MustWait):
        without_waiting(record_of(home).flush)


def no_disk(*_: object) -> TallyFile:
    raise OSError(28, "No space left on device")


def test_where_nothing_can_be_counted_nothing_is_granted(
    home: IamHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_of(home).close()
    monkeypatch.setattr(TallyFolder, "_made", no_disk)
    assert not decide(home)
    with pytest.raises(AuditUnavailable):
        TallyFolder(Path("/nonexistent"), FakeRandomness()).open()


def failing(_: Callable[[Transaction], object]) -> None:
    raise Unavailable("the database is away")


def test_what_the_database_does_not_take_stays_until_it_does(
    home: IamHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_of(home).flush()
    before = counted(home)
    with monkeypatch.context() as patch:
        patch.setattr(type(home.spine.transactions), "run", lambda _, work: failing(work))
        for _ in range(3):
            assert decide(home, 10)
            record_of(home).flush()
            home.clock.advance(2)
    record_of(home).flush()
    assert counted(home) - before >= 30
    assert folded(home) == counted(home)


def test_a_page_comes_into_the_database_once_whoever_tries(home: IamHome) -> None:
    record_of(home).flush()
    before, store = counted(home), home.services.decisions.record
    shelf = TallyFolder(home.spine.parts.home / "decisions", FakeRandomness("killed"))
    decide(home, 7)
    source = store._book
    assert source is not None
    ((_, lines),) = source.filled()
    book = shelf.open()
    book.begin(lines[0].text, 7, START)
    content = (shelf._folder / f"{book.name}.tally").read_bytes()
    killed(book)
    assert store.recover() == 1
    # as if it had been killed after the commit and before the page was blank
    (shelf._folder / f"{book.name}.tally").write_bytes(content)
    run = home.spine.parts.transactions.run
    run(lambda tx: home.services.decisions.record._store.begin_fold(tx, book.name, 1))
    assert store.recover() == 1
    store.flush()
    assert counted(home) - before == 14


def test_the_last_instant_is_kept(home: IamHome) -> None:
    decide(home)
    home.clock.advance(0.5)
    decide(home)
    record_of(home).flush()
    with home.spine.read_engine.begin() as connection:
        query = sa.text("SELECT max(last_at - first_at) FROM iam_decisions")
        assert connection.execute(query).scalar_one() == SECOND // 2


def test_a_page_is_the_size_it_says(folder: TallyFolder, tmp_path: Path) -> None:
    book = folder.open()
    assert book.begin(b"x" * PAGE, 1, 1) is None
    book.close(remove=True)
    assert list((tmp_path / "books").iterdir()) == []
