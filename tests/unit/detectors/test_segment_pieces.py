"""Stored pieces read together give the events that were stored, whatever the files look like."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.adapters.segments import open_segments
from detectors.adapters.segments.rare import pack_rare, unpack_rare
from detectors.adapters.segments.store import SegmentStore
from detectors.core.engine.tables import fields_of_rows
from detectors.core.query import evaluator
from secops.kernel.clock import DAY
from secops.kernel.logs import And, LogEvent, Term, Value, Window

ROWS = 2_000
NASTY: tuple[Value, ...] = ("", "\x00l", "\x00", "caf\u00e9", ("a", ""), ("x",) * 3, "y" * 40_000)


def store_of(home: Path) -> SegmentStore:
    return open_segments(home, "p1", evaluator, lambda name, details: None).store


def fields_of(number: int) -> Mapping[str, Value]:
    """Return fields that all rows have, that some have, and that one in 1,000 has."""
    fields: dict[str, Value] = {"every": str(number % 7), "@seq": f"own {number % 3}"}
    if number % 2:
        fields["half"] = ("odd", str(number % 5))
    if number % 1_000 < 3:
        for name in range(20):
            fields[f"rare {name}"] = NASTY[(number + name) % len(NASTY)]
        fields["@rare"] = "a field of that name"
    return fields


def id_of(number: int) -> str:
    return sha256(b"%d" % number).hexdigest()


def stored(count: int, first: int = 0) -> list[LogEvent]:
    numbers = range(first, first + count)
    return [
        LogEvent(id_of(n), f"s{n % 3}", (n % 4) * DAY + n, n, fields_of(n), b"%d" % n)
        for n in numbers
    ]


def test_pieces_of_several_files_are_the_events_that_were_stored(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for first in range(0, 4 * ROWS, ROWS):
        store.append(stored(ROWS, first))
    store.append([LogEvent(id_of(99_999), "late", 0, 0, {"new": "field"}, b"x")])
    last = store.last_seq()
    for low, high in ((1, last), (5, 17), (ROWS - 2, last - 1)):
        batch = store.read_pieces(list(store.pieces(low, high)))
        assert sorted(batch.seqs) == list(range(low, high + 1))
        fields = fields_of_rows(batch, range(len(batch)))
        for row, seq in enumerate(batch.seqs):
            if seq != last:
                assert (batch.ids[row], fields[row]) == (id_of(seq - 1), fields_of(seq - 1))
                assert batch.source.values[batch.source.codes[row]] == f"s{(seq - 1) % 3}"
                assert batch.raws[row] == b"%d" % (seq - 1)


def test_no_pieces_are_no_events(tmp_path: Path) -> None:
    batch = store_of(tmp_path).read_pieces([])
    assert (len(batch), batch.last_seq, dict(batch.columns), list(batch.ids)) == (0, 0, {}, [])
    with pytest.raises(IndexError):
        batch.ids[0]


def test_ids_and_columns_of_pieces_can_be_looked_at_in_every_way(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    store.append(stored(12))
    batch = store.read_pieces(list(store.pieces(1, 12)))
    assert batch.ids[2:4] == [batch.ids[2], batch.ids[3]]
    assert len(batch.columns) == len(set(batch.columns))
    assert "nowhere" not in batch.columns
    assert batch.columns["every"] is batch.columns["every"]


def test_what_few_rows_have_is_found_and_kept_through_compaction(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for first in range(0, 10 * ROWS, ROWS):
        store.append(stored(ROWS, first))
    found = store.search(Term("rare 1", "caf\u00e9"), Window(), 10_000)
    wanted = [n for n in range(10 * ROWS) if fields_of(n).get("rare 1") == "caf\u00e9"]
    assert sorted(each.seq - 1 for each in found) == wanted
    assert all(each.event.fields == fields_of(each.seq - 1) for each in found)
    whole = store.search(And(()), Window(), 2_100)
    assert all(each.event.fields == fields_of(each.seq - 1) for each in whole)
    scanned = {
        batch.seqs[row] - 1: fields
        for batch in store.scan(1)
        for row, fields in enumerate(fields_of_rows(batch, range(len(batch))))
        if row % 500 < 4
    }
    assert all(fields == fields_of(number) for number, fields in scanned.items())


texts = st.text(st.characters(codec="utf-8"), max_size=3)


@settings(max_examples=25)
@given(st.dictionaries(st.integers(0, 1_999), texts, max_size=12), st.integers(8, 12))
def test_rare_columns_are_packed_and_unpacked(cells: dict[int, str], columns: int) -> None:
    plain = pa.array([f"{n % 3}" for n in range(2_000)]).dictionary_encode()
    rare = pa.array([cells.get(n) for n in range(2_000)], pa.string()).dictionary_encode()
    table = pa.table({"plain": plain} | {f"r{n}": rare for n in range(columns)})
    packed = pack_rare(table)
    assert packed.schema.names == ["plain", "@rare"]
    unpacked = unpack_rare(packed)
    assert unpacked.column("plain").to_pylist() == plain.to_pylist()
    for name in unpacked.schema.names[1:]:
        assert unpacked.column(name).to_pylist() == rare.to_pylist()
    assert len(unpacked.schema.names) == (columns + 1 if cells else 1)
    assert pack_rare(table.select(["plain", "r0"])).schema.names == ["plain", "r0"]
