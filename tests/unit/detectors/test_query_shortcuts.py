"""What is quick in queries says the same as the simple way."""

from __future__ import annotations

import ipaddress
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.query import counting
from detectors.core.query.evaluate import matching_rows
from detectors.core.query.pattern import is_inside, network_test
from secops.kernel.logs import LogEvent, Or, Query, StoredEvent, Term, Value
from tests.fakes.log_store import batch_of

ADDRESSES = st.tuples(*[st.sampled_from([0, 1, 10, 100, 192, 255, 256])] * 4).map(
    lambda parts: ".".join(map(str, parts))
)


@given(
    ADDRESSES | st.sampled_from(["", "10.", "10.x", "10.1.1.1.1", "::ffff:10.1.1.1", "[::1]"]),
    st.sampled_from(["10.0.0.0", "192.0.0.0", "10.1.0.0", "10.1.100.0", "10.1.1.1", "11.0.0.0"]),
    st.sampled_from([0, 4, 8, 12, 16, 24, 31, 32]),
)
def test_a_network_holds_by_its_first_octets_what_it_holds_by_numbers(
    value: str, address: str, bits: int
) -> None:
    network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
    assert network_test(network)(value) == is_inside(value, network)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40))), st.sampled_from([0, 62, 300]))
def test_rows_are_counted_as_one_by_one(rows: list[tuple[int, int]], greatest: int) -> None:
    codes = np.array(rows, dtype=np.int64).reshape(-1, 2)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counting, "_GREATEST", greatest)
        found, numbers = counting.combined(codes, [3, 41])
    counted = dict(zip(map(tuple, found.tolist()), numbers.tolist(), strict=True))
    assert counted == dict(Counter(rows))
    assert list(counted) == sorted(counted)


@given(
    st.lists(st.sampled_from(["A", "a", "b*", "10.0.0.0/8", "10.1.1.1", "C", "ÉE"]), max_size=4),
    st.sampled_from([(), ("x",)]),
)
def test_quoted_texts_asked_together_find_what_each_finds(
    texts: list[str], others: tuple[str, ...]
) -> None:
    held: list[Value] = ["a", "b*", "bb", "10.1.1.1", "10.0.0.0/8", "c", "E\u0301E", ("x", "C")]
    fields: list[dict[str, Value]] = [{"f": value} for value in held]
    rows = batch_of(
        [
            StoredEvent(number, LogEvent(f"{number:064x}", "s", number, number, each, b""))
            for number, each in enumerate([*fields, {}])
        ]
    )
    terms: list[Query] = [Term("f", text, quoted=True) for text in texts]
    terms += [Term("f", text) for text in others]
    together = matching_rows(Or(tuple(terms)), rows).tolist()
    alone = [matching_rows(term, rows).tolist() for term in terms]
    assert together == [any(found[row] for found in alone) for row in range(len(rows))]
