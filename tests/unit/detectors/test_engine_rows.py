"""Events put straight into columns give what the same events give as dictionaries of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.engine.columns import View
from detectors.core.engine.rows import RowTable
from detectors.core.engine.tables import TableBuilder
from detectors.core.formats.windows import TooDeep, flatten_event
from detectors.core.sigma.tree import KEYWORDS
from secops.kernel.logs import Value

NAMES = ("Image", "Data", "EventID", "Provider_Name", "A_1", "A", "NewValue", "B")
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=3), st.floats(-2, 2)
)
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.fixed_dictionaries({"#text": st.one_of(scalars, st.lists(scalars, max_size=2))}),
    st.fixed_dictionaries({"#text": scalars, "#attributes": st.just({"Name": "n"})}),
    st.fixed_dictionaries({"Image": scalars}),
)
names = st.sampled_from((*NAMES, "New Value", "A_2", " Image", "#text", "#attributes", "Other", ""))
bodies = st.dictionaries(names, values, max_size=5)
systems = st.dictionaries(
    st.sampled_from(("EventID", "Provider", "Channel", "Image", "Provider_Name")),
    st.one_of(
        scalars,
        st.fixed_dictionaries({"#attributes": st.dictionaries(st.just("Name"), scalars)}),
        st.fixed_dictionaries({"#text": scalars, "#attributes": st.just({"Qualifiers": 1})}),
    ),
    max_size=4,
)
events = st.fixed_dictionaries(
    {},
    optional={
        "System": st.one_of(systems, st.none()),
        "EventData": st.one_of(bodies, st.none()),
        "UserData": st.one_of(st.dictionaries(st.just("Wrapper"), bodies), st.none()),
        "#attributes": st.just({"xmlns": "x"}),
    },
)


def read_back(table: Any, length: int) -> list[dict[str, Value]]:
    view = View(table)
    indexes = {name: view.index(name) for name in NAMES}
    return [
        {
            name: value
            for name, index in indexes.items()
            if index is not None and (value := index.value(row)) is not None
        }
        for row in range(length)
    ]


@given(st.lists(events, max_size=5), st.sampled_from(((), (KEYWORDS,))))
def test_columns_of_events_are_those_of_their_fields(
    found: list[Mapping[str, Any]], more: tuple[str, ...]
) -> None:
    parsed = [orjson.loads(orjson.dumps(event)) for event in found]
    wanted = frozenset((*NAMES, *more))
    rows = RowTable(wanted)
    for event in parsed:
        rows.add_event(event)
    fields = [flatten_event(event) for event in parsed]
    table = TableBuilder(wanted).build(fields, [b"{}"] * len(fields))
    straight = rows.table(lambda _: [])
    assert len(rows) == len(fields)
    assert read_back(straight, len(fields)) == read_back(table, len(fields))
    assert set(straight.columns) == set(table.columns)
    assert len(straight.columns) == len(table.columns)


@pytest.mark.parametrize("name", [" Image", "Image ", "", "#text", "A_2", "Data_10"])
def test_a_name_that_may_mean_something_else_is_read_the_long_way(name: str) -> None:
    wanted = frozenset(NAMES)
    event = {"System": {"EventID": 1}, "EventData": {name: "v", "Image": "i"}}
    rows = RowTable(wanted)
    rows.add_event(event)
    table = TableBuilder(wanted).build([flatten_event(event)], [b"{}"])
    assert read_back(rows.table(lambda _: []), 1) == read_back(table, 1)


def test_a_record_that_nests_too_deep_leaves_nothing_behind() -> None:
    rows = RowTable(frozenset({"A"}))
    deep: dict[str, Any] = {"x": "1"}
    for _ in range(40):
        deep = {"x": deep}
    with pytest.raises(TooDeep):
        rows.add_event({"System": {}, "EventData": {"A": "1", "deep": deep}})
    rows.add_event({"System": {}, "EventData": {"A": "2"}})
    table = rows.table(lambda _: [])
    assert read_back(table, len(rows)) == [{"A": "2"}]


def test_lines_and_structured_events_are_told_apart() -> None:
    rows = RowTable(frozenset({"A"}))
    rows.add_fields({"A": "1", "unasked": "x"}, is_line=True)
    rows.add_event({"System": {"Channel": "c"}, "EventData": {"A": "1"}})
    table = rows.table(lambda _: [])
    assert table.lined is not None
    assert table.lined(np.array([0, 1])).tolist() == [True, False]
