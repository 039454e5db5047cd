"""Many values searched as one text, and row groups that hold their own values: the same answers."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.adapters.segments.parts import ROWS_OF_GROUP, parquet_of, table_of
from detectors.core.query.evaluate import matching_rows
from detectors.core.query.pattern import holders, needles, whole_value
from secops.kernel.logs import LogEvent, StoredEvent, Term, Value
from tests.fakes.log_store import batch_of

TEXTS = st.sampled_from(
    (
        *("", "a", "AB", "ab", "a*b", "a/b", "x.y", "k", "SS", "ß", "\u212a", "é", "e\u0301"),
        *("10.1.2.3", "10.1.2.30", "[10.1.2.3]", "::ffff:10.1.2.3", "::ffff:a01:203", "11.9.9.9"),
        *("10.1.2.0/24", "10.0.0.0/7", "10.1.2.3/32", "fe80::1%eth0", "FE80::1", "fe80::/10"),
        *("a\nb", "a\r\nb", "\r", "a\\b"),
    )
) | st.text(alphabet="aAbB*?\\.:1/\r\n\u0130", max_size=4)


@pytest.mark.parametrize("quoted", [False, True])
@given(values=st.lists(TEXTS | st.tuples(TEXTS, TEXTS), max_size=8), text=TEXTS)
def test_what_holds_is_among_the_holders(
    values: list[Value],
    text: str,
    quoted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    test = whole_value(text, quoted=quoted)
    found = holders(values, needles(text, quoted=quoted))
    holding = [
        place
        for place, value in enumerate(values)
        if (test(value) if isinstance(value, str) else any(map(test, value)))
    ]

    assert found is None or set(holding) <= set(found)


def test_a_clue_narrows_what_is_asked_and_lists_are_asked_one_by_one() -> None:
    assert holders(["10.1.2.3", "x10.1.2.34", "10.1.2.4"], needles("10.1.2.3", quoted=False)) == [
        0,
        1,
    ]
    assert holders(["Ab", "b"], needles("a?", quoted=False)) == [0]
    assert holders(["9.9.9.9", "::1", "x"], needles("8.0.0.0/7", quoted=False)) == [0, 1]
    assert holders([("a", "b"), "a"], ("a",)) is None
    assert holders(["é"], ("e",)) is None
    assert holders(["a\nb"], ("a",)) is None
    assert holders([], ("a",)) is None


def test_an_address_is_in_a_network_however_it_is_written_and_no_other_is() -> None:
    test = whole_value("10.1.0.0/16", quoted=False)
    inside = ("10.1.2.3", "::ffff:10.1.2.3", "[::ffff:a01:203]")
    assert [test(value) for value in inside] == [True, True, True]
    assert [test(value) for value in ("10.2.0.1", "110.1.2.3", "fe80::1", "x")] == [False] * 4


@pytest.mark.parametrize("text", ["V17", "v1?", "v*7", "nobody"])
def test_many_values_are_searched_as_each_of_them_would_be(text: str) -> None:
    events = [
        StoredEvent(n, LogEvent(f"{n:064x}", "s", n, n, {"f": f"v{n}", "g": "x"}, b""))
        for n in range(1, 80)
    ]
    test = whole_value(text, quoted=False)
    expected = [test(str(stored.event.fields["f"])) for stored in events]

    assert matching_rows(Term("f", text), batch_of(events)).tolist() == expected


def test_a_row_group_is_written_with_its_own_values_and_none_is_lost() -> None:
    count = ROWS_OF_GROUP + 5_000
    events = []
    for n in range(count):
        fields: dict[str, Value] = {"few": f"f{n % 3}"}
        if n % 5:
            fields["many"] = f"value {n}" if n % 7 else ("a", f"{n}")
        events.append(LogEvent(f"{n:064x}", "s", n, n, fields, b"r"))
    table = table_of(events, np.arange(count))
    content = parquet_of(table)
    file = pq.ParquetFile(io.BytesIO(content))
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]

    assert [group.num_rows for group in groups] == [ROWS_OF_GROUP, 5_000]
    for name in ("few", "many"):
        plain = file.read([name]).column(0).to_pylist()
        assert plain == table.column(name).cast("large_string").to_pylist()
    sizes = [
        groups[n].column(table.schema.names.index("many")).total_uncompressed_size for n in (0, 1)
    ]
    assert sizes[1] < sizes[0] / 2


def test_an_empty_table_is_a_file_without_rows() -> None:
    table = table_of([LogEvent("0" * 64, "s", 1, 1, {"a": "b"}, b"")], np.arange(1)).slice(0, 0)

    assert pq.ParquetFile(io.BytesIO(parquet_of(table))).metadata.num_rows == 0
