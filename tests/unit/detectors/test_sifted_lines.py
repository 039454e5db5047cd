"""What is done for many lines at once gives what is done line by line: masks, ids, names, keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.adapters.data_classes import InstalledDataClasses
from detectors.adapters.segments.cells import decode_dictionary
from detectors.adapters.segments.parts import decode_value, table_of
from detectors.core.events.identity import LineCounter, StreamIds, event_id
from detectors.core.formats.ecs import flatten
from detectors.core.formats.line import Record, Reject
from detectors.core.formats.reader import read_lines, read_records
from detectors.core.formats.record import Context
from detectors.core.privacy.definitions import read_data_classes
from detectors.core.privacy.masking import Masker
from detectors.core.privacy.scanner import Scanner
from detectors.models.privacy import DataClass, DataClassFile, SourcePolicy
from secops.kernel.logs import LogEvent, Value

CLASSES = read_data_classes(InstalledDataClasses(Path("/nonexistent")).data_class_files())
SCANNER = Scanner(CLASSES)
CONTEXT = Context(UTC, 1_800_000_000_000_000, arrival=None)
PIECES = [text.encode() for each in CLASSES for text in (*each.positive, *each.negative)]
LINES = st.lists(
    st.lists(
        st.sampled_from([*PIECES, b"", b" ", b"\r", b"{", b"password", b"=", b"1", b"@", b"eyJ"])
        | st.binary(max_size=5).map(lambda raw: raw.replace(b"\n", b"")),
        max_size=4,
    ).map(b"".join),
    max_size=12,
)


def own(pattern: str) -> tuple[DataClass, ...]:
    text = f"[[class]]\nid = 'x'\nzh = '某'\nen = 'x'\npattern = '''{pattern}'''\n"
    return read_data_classes([DataClassFile("own.toml", text.encode())])


@given(LINES)
def test_no_line_that_holds_something_goes_unlooked(lines: list[bytes]) -> None:
    holding = {number for number, line in enumerate(lines) if SCANNER.find(line)}

    assert holding <= set(SCANNER.suspects(lines))


@pytest.mark.parametrize(
    "pattern",
    [
        r"^secret",
        r"secret$",
        r"\Asecret",
        r"secret\z",
        r"\bsecret\b",
        r"[^a]secret",
        r"\Q^\Esecret",
    ],
)
def test_a_pattern_that_asks_for_a_lines_ends_is_not_asked_of_many(pattern: str) -> None:
    lines = [b"plain", b"secret", b"x secret", b"secret x", b"^secret"]
    scanner = Scanner(own(pattern))
    holding = {number for number, line in enumerate(lines) if scanner.find(line)}

    assert holding
    assert holding <= set(scanner.suspects(lines))


def test_quiet_lines_are_not_looked_at_again() -> None:
    lines = [b"nothing here", b"mail somebody@example.org", b"nor here"]

    assert set(SCANNER.suspects(lines)) == {1}
    assert set(Scanner(()).suspects(lines)) == set()


def stored(item: Record | Reject) -> tuple[object, ...]:
    if isinstance(item, Reject):
        return (item,)
    found = {} if item.prepared is None else dict(item.prepared.fields)
    return (item.index, item.raw, item.at, item.parsed, found)


@given(LINES)
def test_a_sifted_file_is_stored_as_one_that_was_prepared_line_by_line(lines: list[bytes]) -> None:
    masked = tuple(each.id for each in CLASSES if each.masked)
    masker = Masker(SCANNER, SourcePolicy("s", "org", masked=masked), lambda data: data * 16)
    body = b'{"@timestamp":"2026-11-22T00:00:00Z","a":"b"}\n' + b"\n".join(lines)
    alone = replace(CONTEXT, prepare=masker)
    contexts = (alone, replace(alone, sift=masker.sift))
    both = [[stored(item) for item in read_records(iter((body,)), "ecs", c)] for c in contexts]

    assert both[1] == both[0]


@given(st.lists(st.sampled_from([b"a", b"b", b"", b"\x00" * 7])), st.text(max_size=3))
def test_ids_of_a_stream_are_those_of_counted_lines(lines: list[bytes], stream: str) -> None:
    counter, ids = LineCounter(), StreamIds(stream)
    expected = [event_id(stream, raw, counter.number(raw)) for raw in lines]

    assert [ids.take(raw) for raw in lines] == expected


@given(st.lists(st.binary(max_size=6)), st.integers(0, 3))
def test_lines_are_cut_alike_wherever_chunks_end(chunks: list[bytes], cut: int) -> None:
    whole = b"".join(chunks)
    pieces = [whole[:cut], whole[cut:], b""]
    found = list(read_lines(chunks))

    assert found == list(read_lines(pieces))
    assert b"".join(whole[line.offset : line.offset + line.length + 1] for line in found) == whole


def test_names_that_nobody_keeps_are_read_all_the_same() -> None:
    long = "n" * 5_000
    document = {long: {long: "x", "": {"y": 1}}, "": "nameless", "a": {str(n): n for n in range(9)}}
    expected: dict[str, Value] = {f"{long}.{long}": "x", f"{long}..y": "1"}
    expected |= {f"a.{n}": str(n) for n in range(9)}

    assert [flatten(document), flatten(document)] == [expected, expected]


def rows_of(table: object, names: Sequence[str]) -> list[dict[str, Value]]:
    rows: list[dict[str, Value]] = [{} for _ in range(table.num_rows)]  # type: ignore[attr-defined]
    for name in names:
        values, codes = decode_dictionary(table.column(name))  # type: ignore[attr-defined]
        for row, code in zip(rows, codes.tolist(), strict=True):
            if code >= 0:
                row[name] = values[code]
    return rows


VALUES = st.sampled_from(["", "a", "B", "\x00x", "\x00l[]", "é"]) | st.tuples(
    st.just("a"), st.just("\x00b")
)


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), VALUES), min_size=1, max_size=9))
def test_rows_turned_into_columns_are_the_same_rows(rows: list[dict[str, Value]]) -> None:
    events = [
        LogEvent(f"{n:064x}", f"s{n % 2}", n, n + 1, fields, b"raw")
        for n, fields in enumerate(rows)
    ]
    table = table_of(events, np.arange(5, 5 + len(rows)))
    names = [name for name in table.schema.names if not name.startswith("@")]

    assert rows_of(table, names) == rows
    assert table.column("@id").to_pylist() == [bytes.fromhex(event.id) for event in events]
    assert table.column("@seq").to_pylist() == list(range(5, 5 + len(rows)))
    assert rows_of(table, ["@source"]) == [{"@source": event.source} for event in events]
    assert decode_value("\x00sx") == "x"
