"""The log store on segments: spool, one writer, crashes, compaction, damage."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.adapters.segments import Segments, fingerprints, open_segments
from detectors.adapters.segments.manifest import Manifest
from detectors.adapters.segments.merging import packed
from detectors.adapters.segments.parts import MAX_COLUMNS, decode_value, encode_value
from detectors.adapters.segments.reader import Lazy
from detectors.adapters.segments.spool import Spool, decode_events, encode_events
from detectors.core.query import evaluator
from detectors.errors import LogStoreUnavailable, SegmentDamaged
from secops.crypto.hashes import sha256, sm3
from secops.kernel.errors import AuditUnavailable
from secops.kernel.logs import Aggregation, And, Batch, Exists, LogEvent, Term, Value, Window

NOON = 1_795_348_800_000_000
DAY = 86_400_000_000
ALL = And(())
ROOT = Path(__file__).parents[3]


class Ledger:
    """Learns of closed segments; ``down`` refuses."""

    def __init__(self) -> None:
        self.closed: list[tuple[str, dict[str, Any]]] = []
        self.down = False

    def __call__(self, name: str, details: Any) -> None:
        if self.down:
            raise AuditUnavailable
        self.closed.append((name, dict(details)))


def opened(home: Path, process: str = "p", ledger: Ledger | None = None) -> Segments:
    return open_segments(home, process, evaluator, ledger or Ledger())


def event(number: int, at: int = NOON, **fields: Value) -> LogEvent:
    raw = f"line {number}".encode()
    return LogEvent(hashlib.sha256(raw).hexdigest(), "s", at, NOON, fields, raw)


def numbers(segments: Segments) -> list[int]:
    return [int(raw.split()[1]) for batch in segments.store.scan(1) for raw in batch.raws]


def some_batch(segments: Segments) -> Batch:
    return next(iter(segments.store.scan(1)))


def parquet_files(home: Path) -> list[Path]:
    return sorted((home / "segments").glob("*/*.parquet"))


@given(value=st.text(max_size=9) | st.lists(st.text(max_size=5), min_size=2).map(tuple))
def test_any_value_comes_back_from_its_column(value: Value) -> None:
    assert decode_value(encode_value(value)) == value


@given(
    raw=st.binary(max_size=30),
    fields=st.dictionaries(
        st.text(max_size=5), st.text(max_size=9) | st.lists(st.text(), min_size=2).map(tuple)
    ),
)
def test_any_event_comes_back_from_the_spool(raw: bytes, fields: dict[str, Value]) -> None:
    events = [LogEvent("0" * 64, "s", NOON, NOON, fields, raw)]

    assert decode_events(encode_events(events)) == events


def test_each_closed_segment_is_told_to_the_ledger_with_both_digests(tmp_path: Path) -> None:
    ledger = Ledger()
    store = opened(tmp_path, ledger=ledger).store
    store.append([event(1)])

    content = parquet_files(tmp_path)[0].read_bytes()
    assert [details for _, details in ledger.closed] == [
        {
            "sha256": sha256(content).hex(),
            "sm3": sm3(content).hex(),
            "first_seq": 1,
            "last_seq": 1,
            "events": 1,
            "files": 1,
        }
    ]


def test_what_the_ledger_could_not_take_it_gets_later(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.down = True
    segments = opened(tmp_path, ledger=ledger)
    stored = segments.store.append([event(1)]).stored
    ledger.down = False
    again = opened(tmp_path, ledger=ledger)

    assert (stored, ledger.closed) == (1, [])
    assert again.writer.drain() is False
    assert len(ledger.closed) == 1
    again.writer.drain()
    assert len(ledger.closed) == 1


def test_offered_batches_are_durable_at_once_and_stored_by_the_writer(tmp_path: Path) -> None:
    one, two = opened(tmp_path, "one"), opened(tmp_path, "two")
    one.spool.offer([event(1), event(2)])
    two.spool.offer([event(2), event(3)])

    assert numbers(one) == []
    assert two.writer.drain() is False
    assert numbers(one) == [1, 2, 3]
    assert one.writer.drain() is False
    one.spool.close()
    two.spool.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_was_offered_first_is_stored_before_what_is_appended(tmp_path: Path) -> None:
    segments = opened(tmp_path)
    segments.spool.offer([event(5)])
    segments.store.append([event(4)])

    assert numbers(segments) == [5, 4]


def test_append_waits_for_the_receipt_of_the_process_that_writes(tmp_path: Path) -> None:
    one, two = opened(tmp_path, "one"), opened(tmp_path, "two")
    results = []
    with one.writer.lock(wait=True):
        thread = threading.Thread(target=lambda: results.append(two.store.append([event(1)])))
        thread.start()
        while one.spool.is_empty():
            pass
        one.writer.store_waiting()
        thread.join()

    assert [(r.stored, r.duplicates, r.last_seq) for r in results] == [(1, 0, 1)]


def test_a_dead_processes_folder_is_never_written_into_again(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, "p"), Spool(tmp_path, "p")
    first.offer([event(1)])
    second.offer([event(2)])

    waiting = [batch.events for batch in first.waiting(10)]
    assert waiting == [[event(1)], [event(2)]]
    first.close()
    assert first.is_empty() is False


def test_a_damaged_batch_is_set_aside_and_the_rest_is_stored(tmp_path: Path) -> None:
    named: list[str] = []
    segments = open_segments(tmp_path, "p", evaluator, Ledger(), named.append)
    segments.spool.offer([event(1)])
    segments.spool.offer([event(2)])
    path = min((tmp_path / "spool").glob("*/*.spool"))
    path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    segments.writer.drain()

    assert numbers(segments) == [2]
    assert [path.name for path in (tmp_path / "spool/damaged").iterdir()] == named
    assert len(named) == 1


def test_where_the_disk_refuses_nothing_is_acknowledged(tmp_path: Path) -> None:
    segments = opened(tmp_path)
    segments.store.append([event(1)])
    (tmp_path / "spool").write_text("not a folder")
    with pytest.raises(LogStoreUnavailable):
        segments.spool.offer([event(2)])
    (tmp_path / "spool").unlink()
    (tmp_path / "segments/2026-11-23").write_text("not a folder")

    with pytest.raises(LogStoreUnavailable):
        segments.store.append([event(3, NOON + DAY)])
    (tmp_path / "segments/2026-11-23").unlink()
    assert numbers(opened(tmp_path)) == [1]
    assert segments.store.append([event(3, NOON + DAY)]).last_seq == 2


def test_small_segments_are_merged_and_answers_stay_the_same(tmp_path: Path) -> None:
    ledger = Ledger()
    segments = opened(tmp_path, ledger=ledger)
    reader = opened(tmp_path).store
    for number in range(40):
        at = NOON + (number % 3) * DAY
        segments.store.append([event(number, at, n=str(number), odd=("a", str(number)))])

    assert len(parquet_files(tmp_path)) < 15
    assert numbers(segments) == list(range(40))
    assert len(reader.search(Exists("n"), Window(), 100)) == 40
    assert [s.event for s in reader.get([event(17).id])] == [
        event(17, NOON + 2 * DAY, n="17", odd=("a", "17"))
    ]
    assert segments.store.append([event(n, NOON + (n % 3) * DAY) for n in range(40)]).stored == 0
    assert any(details["events"] > 1 for _, details in ledger.closed)


def test_days_are_packed_whole() -> None:
    assert packed({3: 1, 1: 9_000, 2: 5, 4: 10_000, 5: 1}) == [[1], [2, 3, 4], [5]]
    assert packed({}) == []


def test_retention_takes_days_out_of_shared_files(tmp_path: Path) -> None:
    segments = opened(tmp_path)
    old = LogEvent("a" * 64, "s", NOON, NOON, {"k": "old"}, b"line 1")
    new = LogEvent("b" * 64, "s", NOON + DAY, NOON + DAY, {"k": "new"}, b"line 2")
    segments.store.append([old, new])
    before = parquet_files(tmp_path)

    assert segments.store.drop_before(NOON + 1) == 1
    assert numbers(segments) == [2]
    assert parquet_files(tmp_path) != before
    assert segments.store.drop_before(NOON + 2 * DAY) == 1
    assert parquet_files(tmp_path) == []
    assert list((tmp_path / "segments/ids").iterdir()) == []
    assert segments.store.append([old]).last_seq == 3


def test_more_fields_than_columns_share_one(tmp_path: Path) -> None:
    many = {f"f{n:05d}": str(n) for n in range(MAX_COLUMNS + 50)}
    segments = opened(tmp_path)
    segments.store.append([event(1, **many), event(2, f02049="other", f00001=("a", "b"))])

    (found,) = segments.store.search(Term("f02040", "2040"), Window(), 10)
    assert found.event.fields == many
    (second,) = segments.store.search(Term("f02049", "other"), Window(), 10)
    assert second.event.fields == {"f02049": "other", "f00001": ("a", "b")}
    for number in range(10, 20):
        segments.store.append([event(number, f02045=str(number))])
    counted = segments.store.aggregate(ALL, Window(), Aggregation(("f02045",)))
    assert [bucket.count for bucket in counted] == [1] * 11


def test_a_missing_or_damaged_file_is_named_not_skipped(tmp_path: Path) -> None:
    segments = opened(tmp_path)
    segments.store.append([event(1)])
    (path,) = parquet_files(tmp_path)
    content = path.read_bytes()
    path.write_bytes(b"PAR1" + content[4:100])
    with pytest.raises(SegmentDamaged):
        segments.store.search(ALL, Window(), 10)
    path.unlink()
    with pytest.raises(SegmentDamaged):
        list(segments.store.scan(1))


def test_a_torn_last_line_of_the_manifest_was_never_there(tmp_path: Path) -> None:
    segments = opened(tmp_path)
    segments.store.append([event(1)])
    manifest = tmp_path / "segments/manifest"
    with manifest.open("ab") as stream:
        stream.write(b'12345678 {"n": 9, "torn')

    assert numbers(opened(tmp_path)) == [1]
    assert opened(tmp_path).store.append([event(2)]).last_seq == 2
    assert numbers(opened(tmp_path)) == [1, 2]


def test_a_bad_line_before_good_ones_is_damage(tmp_path: Path) -> None:
    segments = opened(tmp_path)
    segments.store.append([event(1)])
    segments.store.append([event(2)])
    manifest = tmp_path / "segments/manifest"
    manifest.write_bytes(manifest.read_bytes().replace(b'"n":1', b'"n":7', 1))

    with pytest.raises(SegmentDamaged):
        numbers(opened(tmp_path))


def test_a_long_manifest_is_rewritten_and_readers_follow(tmp_path: Path) -> None:
    reader, writer = Manifest(tmp_path), Manifest(tmp_path, rewrite_after=20)
    for number in range(50):
        writer.commit({"last_seq": number})
        if number % 7 == 0:
            reader.read()

    assert reader.read().last_seq == 49
    assert (tmp_path / "manifest").read_bytes().count(b"\n") < 22


def test_leftovers_of_a_dead_writer_are_swept(tmp_path: Path) -> None:
    opened(tmp_path).store.append([event(1)])
    orphan = parquet_files(tmp_path)[0].with_name("9-9-9.parquet")
    orphan.write_bytes(b"half")
    half = orphan.with_name(".x.parquet.new")
    half.write_bytes(b"half")
    opened(tmp_path).store.append([event(2)])

    assert not orphan.exists()
    assert not half.exists()
    assert numbers(opened(tmp_path)) == [1, 2]


def test_several_parts_and_row_groups_are_read_like_one(tmp_path: Path) -> None:
    def numbered(n: int) -> LogEvent:
        return event(n, NOON + n % 2 * DAY + n, n=str(n), m=str(n % 7))

    segments = opened(tmp_path)
    segments.store.append([numbered(n) for n in range(40_000) if n != 5])
    segments.store.append([event(5, NOON + 5, n="5")])

    assert len(parquet_files(tmp_path)) == 3
    found = segments.store.search(Term("n", "*9999"), Window(), 10)
    assert [s.event for s in found] == [numbered(n) for n in (39_999, 29_999, 19_999, 9_999)]
    assert sorted(some_batch(segments).columns) == ["m", "n"]
    assert len(some_batch(segments).columns) == 2
    with pytest.raises(KeyError):
        some_batch(segments).columns["x"]
    (some,) = segments.store.scan(39_990, 39_999)
    assert list(some.seqs) == list(range(39_990, 40_000))
    assert [some.columns["m"].values[c] for c in some.columns["m"].codes] == [
        str(n % 7) for n in range(39_990, 40_000)
    ]
    (bucket, *_) = segments.store.aggregate(ALL, Window(), Aggregation(("m",)))
    assert (bucket.key, bucket.count) == (("0",), 5_715)


def test_colliding_fingerprints_do_not_suppress_an_event(tmp_path: Path) -> None:
    segments = opened(tmp_path)
    one = LogEvent("f" * 16 + "0" * 48, "s", NOON, NOON, {}, b"line 1")
    two = LogEvent("f" * 16 + "1" * 48, "s", NOON, NOON, {}, b"line 2")

    assert [segments.store.append([e]).stored for e in (one, two, one)] == [1, 1, 0]
    assert [s.event for s in segments.store.get([two.id, one.id])] == [two, one]


def test_a_time_of_no_calendar_stops_nobody(tmp_path: Path) -> None:
    segments = opened(tmp_path)
    times = (-(10**18), NOON, 10**18, 2 * 10**18)
    events = [event(number, at) for number, at in enumerate(times)]
    assert segments.store.append(events).stored == 4
    assert sorted(s.event.at for s in segments.store.get([e.id for e in events])) == sorted(times)
    assert [len(batch) for batch in segments.store.scan(1)] == [4]
    assert segments.store.append(events).duplicates == 4
    segments.writer.compact(1)
    assert sum(source.events for source in segments.store.sources()) == 4


def test_an_empty_fingerprint_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "empty.ids"
    path.write_bytes(b"")

    table = fingerprints.load(path)
    assert fingerprints.candidates(table, np.array([1], dtype=np.uint64)) == []


def test_lazy_sequences_are_made_once() -> None:
    made = []
    lazy = Lazy(2, lambda: made.append(1) or ["a", "b"])  # type: ignore[func-returns-value]

    assert (len(lazy), made) == (2, [])
    assert (lazy[1], list(lazy), lazy[0:1], made) == ("b", ["a", "b"], ["a"], [1])


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.unit.detectors.test_segments import event, opened
segments = opened(Path(sys.argv[1]), sys.argv[2])
start = int(sys.argv[3])
for number in range(start, start + 10_000_000, 5):
    hours = [1_795_348_800 + n % 100_000 * 3_600 for n in range(number, number + 5)]
    batch = [event(number + n, hour * 1_000_000) for n, hour in enumerate(hours)]
    if number % 2:
        segments.store.append(batch)
    else:
        segments.spool.offer(batch)
        if number % 4 == 0:
            segments.writer.drain()
    print(number, flush=True)
"""


@pytest.mark.service
@pytest.mark.parametrize("rounds", [6, pytest.param(40, marks=pytest.mark.deep)])
def test_kill_9_loses_no_acknowledged_event_and_doubles_none(tmp_path: Path, rounds: int) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED.format(root=str(ROOT)))
    home = tmp_path / "home"
    acknowledged: set[int] = set()
    for number in range(rounds):
        starts = (number * 2_000_000, number * 2_000_000 + 1_000_000)
        writers = [
            subprocess.Popen(
                [sys.executable, str(script), str(home), f"w{index}", str(start)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for index, start in enumerate(starts)
        ]
        for index, process in enumerate(writers):
            assert process.stdout is not None
            for _ in range(12 + number % 5 + 7 * index):
                first = int(process.stdout.readline())
                acknowledged |= set(range(first, first + 5))
        for process in writers:
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            for line in process.stdout:
                acknowledged |= set(range(int(line), int(line) + 5))
            process.wait()
            process.stdout.close()

    segments = opened(home)
    while segments.writer.drain():
        pass
    stored = numbers(segments)
    seqs = [seq for batch in segments.store.scan(1) for seq in batch.seqs]
    print(f"kill -9: {2 * rounds} kills, {len(acknowledged)} acknowledged, {len(stored)} stored")
    assert acknowledged - set(stored) == set()
    assert len(stored) == len(set(stored))
    assert seqs == list(range(1, len(seqs) + 1))
