"""The hot door: durable before the answer, in order, refused when the disk can't."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from secops.adapters.journal.reader import JournalDamaged, JournalReader
from secops.adapters.journal.segments import position_of, segment_path
from secops.adapters.journal.writer import JournalOptions, JournalWriter
from secops.kernel.actors import system_actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import AuditUnavailable, SecopsError, TooLarge
from secops.kernel.ids import SystemRandomness
from secops.kernel.trail import Act, Receipt, encode_act
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness

SMALL = 16_384


def act(number: int, size: int = 0) -> Act:
    return Act("kernel.test", system_actor("test"), f"n:{number}", details={"pad": "x" * size})


def open_writer(
    folder: Path, sync: Callable[[int], None] = os.fdatasync, **kwargs: Any
) -> JournalWriter:
    options = JournalOptions(folder, "test", SMALL)
    return JournalWriter(options, FakeClock(), FakeRandomness(), sync=sync, **kwargs)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[JournalWriter]:
    made = open_writer(tmp_path)
    yield made
    made.close()


def read_all(folder: Path, writer: JournalWriter, limit: int = 1 << 62) -> list[bytes]:
    reader, position, records = JournalReader(folder), 0, []
    while True:
        found = reader.read(writer.process, position, limit)
        if not found.records:
            return records
        records += found.records
        position = found.next_position


def encoded(numbers: Sequence[int], size: int = 0) -> list[bytes]:
    return [encode_act(act(number, size), FakeClock().now()) for number in numbers]


def test_a_receipt_names_the_place_and_the_leaf_hash(tmp_path: Path, writer: JournalWriter) -> None:
    (receipt,) = writer.append([act(1)])
    leaf = hashlib.sha256(b"\0" + encoded([1])[0]).digest()
    assert receipt == Receipt(writer.process, position_of(1, 64), leaf)


def test_acts_read_back_in_order_over_many_files(tmp_path: Path, writer: JournalWriter) -> None:
    for number in range(0, 100, 2):
        writer.append([act(number, 300), act(number + 1, 300)])
    assert len(list((tmp_path / writer.process).glob("*.journal"))) > 2
    expected = encoded(range(100), 300)
    assert read_all(tmp_path, writer) == expected
    assert read_all(tmp_path, writer, limit=7) == expected


def test_a_restarted_reader_goes_on_in_the_middle_of_a_file(
    tmp_path: Path, writer: JournalWriter
) -> None:
    writer.append([act(1)])
    middle = JournalReader(tmp_path).read(writer.process, 0).next_position
    writer.append([act(2)])
    found = JournalReader(tmp_path).read(writer.process, middle)
    assert list(found.records) == encoded([2])


def test_nothing_is_read_before_it_is_durable(tmp_path: Path) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(descriptor: int) -> None:
        entered.set()
        release.wait(10)
        os.fdatasync(descriptor)

    writer = open_writer(tmp_path, slow)
    answers: list[Any] = []
    writer.submit([act(1)], lambda receipts, error: answers.append((receipts, error)))
    assert entered.wait(10)
    assert answers == []
    assert read_all(tmp_path, writer) == []
    release.set()
    writer.close()
    assert [error for _, error in answers] == [None]
    assert read_all(tmp_path, writer) == encoded([1])


def test_who_queues_during_a_sync_shares_the_next_one(tmp_path: Path) -> None:
    entered, release, syncs = threading.Event(), threading.Event(), []

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        entered.set()
        release.wait(10)

    writer = open_writer(tmp_path, slow)
    answers: list[SecopsError | None] = []
    for number in range(11):
        writer.submit([act(number)], lambda _, error: answers.append(error))
        if number == 0:
            assert entered.wait(10)
    release.set()
    writer.close()
    assert (answers, len(syncs)) == ([None] * 11, 2)
    assert read_all(tmp_path, writer) == encoded(range(11))


def test_after_one_failed_sync_nothing_is_acknowledged_any_more(tmp_path: Path) -> None:
    failures = iter([OSError(errno.EIO, "I/O error")])

    def fails_once(descriptor: int) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure

    writer = open_writer(tmp_path, fails_once)
    for _ in range(3):
        with pytest.raises(AuditUnavailable):
            writer.append([act(1)])
    writer.close()


def test_a_full_disk_refuses_and_a_later_act_is_durable_again(tmp_path: Path) -> None:
    failures = iter([None, OSError(errno.ENOSPC, "No space left on device")])

    def full_once(descriptor: int) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure

    writer = open_writer(tmp_path, full_once)
    writer.append([act(1)])
    with pytest.raises(AuditUnavailable):
        writer.append([act(2, 500), act(3)])
    writer.append([act(4)])
    assert read_all(tmp_path, writer) == encoded([1, 4])
    writer.close()
    assert read_all(tmp_path, writer) == encoded([1, 4])


def test_a_journal_that_could_not_be_made_is_made_when_the_disk_is_well(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    writer = open_writer(tmp_path / "journal")
    with pytest.raises(AuditUnavailable):
        writer.append([act(1)])
    (tmp_path / "journal").unlink()
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / writer.process / "x").mkdir(parents=True)
    with pytest.raises(AuditUnavailable):
        writer.append([act(2)])
    shutil.rmtree(tmp_path / "journal" / writer.process)
    writer.append([act(3)])
    assert read_all(tmp_path / "journal", writer) == encoded([3])
    writer.close()


def test_a_disk_that_does_not_answer_is_a_refusal_within_two_seconds(tmp_path: Path) -> None:
    release = threading.Event()
    writer = open_writer(tmp_path, lambda _: release.wait(30) and None)
    with pytest.raises(AuditUnavailable, match="does not answer"):
        writer.append([act(1)])
    release.set()
    writer.close()


def test_what_must_enter_the_ledger_first_holds_the_batch_back(tmp_path: Path) -> None:
    def not_yet() -> None:
        raise AuditUnavailable

    writer = open_writer(tmp_path, before_batch=not_yet)
    with pytest.raises(AuditUnavailable):
        writer.append([act(1)])
    writer.close()
    assert JournalReader(tmp_path).processes() == []


def test_a_callback_that_raises_does_not_keep_others_waiting(
    tmp_path: Path, writer: JournalWriter
) -> None:
    def broken(_receipts: Any, _error: Any) -> None:
        raise ZeroDivisionError

    writer.submit([act(1)], broken)
    writer.append([act(2)])
    assert read_all(tmp_path, writer) == encoded([1, 2])


def test_a_record_too_large_for_the_ledger_is_refused(writer: JournalWriter) -> None:
    with pytest.raises(TooLarge):
        writer.append([act(1, 65_535)])
    with pytest.raises(TooLarge):
        writer.append([act(1, 3_000), act(2, 3_000)])


def test_a_closed_journal_refuses(writer: JournalWriter) -> None:
    writer.append([act(1)])
    writer.close()
    with pytest.raises(AuditUnavailable):
        writer.append([act(2)])


def test_a_queue_without_end_is_refused(tmp_path: Path) -> None:
    release = threading.Event()
    writer = open_writer(tmp_path, lambda _: release.wait(30) and None)
    many = [act(0)] * 10
    for _ in range(1_638):
        writer.submit(many, lambda _receipts, _error: None)
    with pytest.raises(AuditUnavailable, match="too many"):
        [writer.submit(many, lambda _receipts, _error: None) for _ in range(2)]
    release.set()
    writer.close()


def test_all_of_many_threads_acts_are_there_once(tmp_path: Path, writer: JournalWriter) -> None:
    def call(begin: int) -> None:
        for number in range(begin, begin + 25):
            writer.append([act(number)])

    threads = [threading.Thread(target=call, args=(index * 25,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read_all(tmp_path, writer)) == sorted(encoded(range(200)))


def test_a_living_writers_damaged_file_is_reported(tmp_path: Path, writer: JournalWriter) -> None:
    writer.append([act(1)])
    writer.append([act(2)])
    path = segment_path(tmp_path / writer.process, 1)
    content = bytearray(path.read_bytes())
    content[64 + 60] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalDamaged):
        read_all(tmp_path, writer)


def test_a_missing_file_is_reported(tmp_path: Path, writer: JournalWriter) -> None:
    for number in range(60):
        writer.append([act(number, 500)])
    segment_path(tmp_path / writer.process, 2).unlink()
    with pytest.raises(JournalDamaged):
        read_all(tmp_path, writer)


def test_an_exchanged_file_is_reported(tmp_path: Path, writer: JournalWriter) -> None:
    for number in range(60):
        writer.append([act(number, 500)])
    folder = tmp_path / writer.process
    segment_path(folder, 2).write_bytes(segment_path(folder, 3).read_bytes())
    with pytest.raises(JournalDamaged):
        read_all(tmp_path, writer)


def test_a_journal_goes_only_when_its_writer_is_gone_and_all_was_read(
    tmp_path: Path, writer: JournalWriter
) -> None:
    for number in range(60):
        writer.append([act(number, 500)])
    reader = JournalReader(tmp_path)
    end = reader.read(writer.process, 0).next_position
    assert reader.discard(writer.process, end) is False
    assert not segment_path(tmp_path / writer.process, 1).exists()
    writer.append([act(60)])
    writer.close()
    assert reader.discard(writer.process, end) is False
    rest = reader.read(writer.process, end)
    assert (list(rest.records), rest.finished) == (encoded([60]), True)
    assert reader.discard(writer.process, rest.next_position) is True
    assert reader.processes() == []


def test_a_reader_killed_while_deleting_leaves_no_half_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: JournalWriter
) -> None:
    class Killed(BaseException):
        pass

    def killed(_: Path) -> None:
        raise Killed

    writer.append([act(1)])
    writer.close()
    reader = JournalReader(tmp_path)
    end = reader.read(writer.process, 0).next_position
    with monkeypatch.context() as patch:
        patch.setattr("secops.adapters.journal.reader.shutil.rmtree", killed)
        with pytest.raises(Killed):
            reader.discard(writer.process, end)
    assert JournalReader(tmp_path).processes() == []
    other = JournalWriter(JournalOptions(tmp_path, "o", SMALL), FakeClock(), SystemRandomness())
    other.append([act(2)])
    other.close()
    (tmp_path / ".unborn").mkdir()
    (tmp_path / ".unborn" / "lock").touch()
    position = reader.read(other.process, 0).next_position
    assert reader.discard(other.process, position) is True
    assert list(tmp_path.iterdir()) == []


def _append_and_die(folder: Path, pipe: Any) -> None:
    writer = JournalWriter(
        JournalOptions(folder, "child", SMALL), SystemClock(), SystemRandomness()
    )
    writer.append([act(1)])
    pipe.send(writer.process)
    os._exit(9)


@pytest.mark.service
def test_a_dead_writers_acts_are_read_to_the_end(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=_append_and_die, args=(tmp_path, theirs))
    child.start()
    process = ours.recv()
    child.join()
    found = JournalReader(tmp_path).read(process, 0)
    assert (len(found.records), found.finished) == (1, True)


@pytest.mark.service
def test_a_forked_child_writes_a_journal_of_its_own(tmp_path: Path, writer: JournalWriter) -> None:
    writer.append([act(1)])
    parent = writer.process
    child = multiprocessing.get_context("fork").Process(target=writer.append, args=([act(2)],))
    child.start()
    child.join(10)
    assert child.exitcode == 0
    names = JournalReader(tmp_path).processes()
    assert (len(names), parent in names) == (2, True)
    assert read_all(tmp_path, writer) == encoded([1])
