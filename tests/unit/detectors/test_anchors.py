"""An anchor holds wherever its rule or its search does: a log store may leave out the rest."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.adapters.elastic.batches import batch_of
from detectors.adapters.elastic.documents import document_of, stored_event
from detectors.adapters.elastic.dsl import CLAUSES, dsl_of, leaves, requests_of
from detectors.core.anchors.indexing import query_anchor, shadow_of
from detectors.core.anchors.rules import anchor_of, cost_of, rules_anchor
from detectors.core.anchors.shadow import key_of
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import table_of
from detectors.core.events.text import fold
from detectors.core.query.evaluate import matching_rows
from detectors.core.sigma.tree import (
    KEYWORDS,
    And,
    Gap,
    Network,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    Present,
    Reference,
    Regex,
    Text,
)
from secops.kernel.anchors import (
    ANYTHING,
    AllOf,
    Anchor,
    AnyOf,
    Between,
    During,
    Fits,
    Has,
    Within,
    all_of,
    any_of,
)
from secops.kernel.logs import And as Both
from secops.kernel.logs import Exists, Query, Range, Term
from secops.kernel.logs import Not as Without
from secops.kernel.logs import Or as Either
from tests.fakes.anchors import (
    NAMES,
    ODD_FIELDS,
    TEXTS,
    TREES,
    event_of,
    holds,
    numbered,
)

SHORT = [text for text in TEXTS if len(text) < 100]
PATTERNS = st.sampled_from([*SHORT, "*", "a*", "*b", "*a*e*", "c?d*", "\\*", "\\?*", "10.0.0.0/8"])
ASKED = st.sampled_from([*NAMES, "log.source", "event.id"])
QUERIES: st.SearchStrategy[Query] = st.recursive(
    st.one_of(
        st.builds(Term, ASKED | st.none(), PATTERNS, st.booleans()),
        st.builds(Exists, ASKED),
        st.builds(
            Range, ASKED, st.none() | st.sampled_from(SHORT), st.none() | st.sampled_from(SHORT)
        ),
        st.builds(
            Range,
            st.just("@timestamp"),
            st.none() | st.just("2026-11-22T12:00:00Z"),
            st.none() | st.just("2026-11-22T12:00:00.000001Z"),
            st.booleans(),
        ),
    ),
    lambda inner: st.one_of(
        st.builds(Without, inner),
        st.builds(Both, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Either, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)


@given(
    trees=st.lists(TREES, min_size=1, max_size=8),
    fields=st.lists(ODD_FIELDS, min_size=1, max_size=8),
)
def test_where_a_rule_holds_its_anchor_does(
    trees: list[Node], fields: list[dict[str, object]]
) -> None:
    events = numbered(fields)
    found = evaluate(Program(trees), table_of(batch_of(events)))
    joint = rules_anchor(trees)
    for position, rows in found.items():
        for row in rows.tolist():
            shadow = shadow_of(events[row].event)
            for budget in (1, 8, 1_000):
                assert holds(anchor_of(trees[position], budget), shadow)
            assert holds(joint, shadow)


@given(query=QUERIES, fields=st.lists(ODD_FIELDS, min_size=1, max_size=8))
def test_where_a_search_holds_its_anchor_does(
    query: Query, fields: list[dict[str, object]]
) -> None:
    events = numbered(fields)
    for row in np.flatnonzero(matching_rows(query, batch_of(events))).tolist():
        event = events[row].event
        assert holds(query_anchor(query), shadow_of(event), event.at)


@given(
    fields=ODD_FIELDS, raw=st.sampled_from([b"", b"line", b"\xff\xfe", "中文".encode("gb18030")])
)
def test_a_document_gives_its_event_back(fields: dict[str, object], raw: bytes) -> None:
    (stored,) = numbered([fields])
    stored = replace(stored, event=replace(stored.event, raw=raw))
    document = document_of(stored, shadow_of(stored.event))
    document["fields"] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in document["fields"].items()
    }

    assert stored_event(stored.event.id, document) == stored


def test_an_anchor_is_worth_its_name() -> None:
    """The control: anchors exclude most of what does not match."""
    tree = And((Text("EventID", "equals", "1"), Text("Image", "endswith", "\\cmd.exe")))
    other = shadow_of(event_of(1, {"EventID": "1", "Image": "C:\\notepad.exe"}))
    own = shadow_of(event_of(1, {"EventID": "1", "Image": "C:\\CMD.exe"}))

    assert (holds(anchor_of(tree, 8), own), holds(anchor_of(tree, 8), other)) == (True, False)


@pytest.mark.parametrize(
    ("tree", "anchor"),
    [
        (Text("x", "contains", "a"), Fits("x", ("a",))),
        (Text("x", "contains", ""), Has("x")),
        (Not(Present("x")), ANYTHING),
        (Text(KEYWORDS, "contains", "a"), ANYTHING),
        (Or((Present("x"), Not(Present("x")))), ANYTHING),
        (And((Present("x"), Not(Present("y")))), Has("x")),
        (And((Not(Present("y")),)), ANYTHING),
        (Regex("x", "a|b"), Has("x")),
        (Regex("x", "(?i)Mimikatz"), Fits("x", ("mimikatz",))),
        (Network("source.ip", "10.0.0.0/8"), Within("source.ip", "10.0.0.0/8")),
        (Network("source.ip", "::ffff:10.0.0.0/104"), Has("source.ip")),
        (Network("elsewhere", "10.0.0.0/8"), Has("elsewhere")),
        (Number("EventID", "gt", "5"), Between("EventID", 5.0, None)),
        (Number("EventID", "lte", "5"), Between("EventID", None, 5.0)),
        (Number("EventID", "lt", "9" * 400), Has("EventID")),
        (Number("elsewhere", "eq", "5"), Has("elsewhere")),
        (Reference("x", "y"), AllOf((Has("x"), Has("y")))),
        (Reference("x", "domain_user(d,u)"), AllOf((Has("x"), Has("d")))),
        (Text("domain_user(d,u)", "equals", "a"), Has("d")),
        (Text("System.New Value", "equals", "a"), Fits("NewValue", ("a",), starts=True, ends=True)),
    ],
)
def test_what_a_question_asks_of_the_store(tree: Node, anchor: Anchor) -> None:
    assert anchor_of(tree, 100) == anchor


@pytest.mark.parametrize(
    ("query", "anchor"),
    [
        (Exists("@timestamp"), ANYTHING),
        (Exists("event.id"), ANYTHING),
        (Exists("x"), Has("x")),
        (Term(None, "a"), ANYTHING),
        (Term("event.id", "*"), ANYTHING),
        (Term("x", "*"), Has("x")),
        (Term("x", "A?b\\*"), Fits("x", ("a", "b*"), starts=True, ends=True)),
        (
            Term("ip", "::ffff:0:0/96"),
            any_of((Fits("ip", ("::ffff:0:0/96",), starts=True, ends=True), Has("ip"))),
        ),
        (Range("x", "1", None), Between("x", 1.0, None)),
        (Range("x", "1e999", None), Has("x")),
        (Range("x", "a", "b"), Has("x")),
        (Range("x", None, None), Has("x")),
        (Range("event.id", "a", None), ANYTHING),
        (Range("@timestamp", "1970-01-01T00:00:01Z", None), During(1_000_000, None)),
    ],
)
def test_what_a_search_asks_of_the_store(query: Query, anchor: Anchor) -> None:
    assert query_anchor(query) == anchor


def test_a_dear_question_is_left_out_beside_cheap_ones() -> None:
    inside = Text("CommandLine", "contains", "x")
    cheap = Text("EventID", "equals", "1")

    assert anchor_of(And((inside, cheap)), 8) == Fits("EventID", ("1",), starts=True, ends=True)
    assert cost_of(anchor_of(And((inside, cheap)), 100)) > cost_of(anchor_of(cheap, 8))
    assert anchor_of(inside, 8) == Fits("CommandLine", ("x",))  # nothing cheaper is there


def test_what_another_rule_asks_anyway_is_asked_once() -> None:
    one = Text("EventID", "equals", "1")
    two = Text("Channel", "equals", "s")
    three = Text("Image", "endswith", "x")

    assert rules_anchor([one, And((one, two))]) == anchor_of(one, 8)
    assert rules_anchor([And((one, two)), And((one, two, three))]) == anchor_of(And((one, two)), 8)
    assert rules_anchor([one, Not(two)]) == ANYTHING
    assert rules_anchor([]) == AnyOf(())


def test_joining_anchors_leaves_out_what_says_nothing() -> None:
    assert all_of((ANYTHING, Has("x"), Has("x"))) == Has("x")
    assert all_of((ANYTHING,)) == ANYTHING
    assert any_of((Has("x"), ANYTHING)) == ANYTHING
    assert any_of((Has("x"), Has("x"))) == Has("x")


def test_a_key_is_one_for_all_names_that_a_question_may_read() -> None:
    names = [
        "NewValue",
        "New Value",
        "System.NewValue",
        "System.System.New Value",
        "Sys tem.NewValue",
    ]
    assert {key_of(name) for name in names} == {"NewValue"}


def test_alternatives_are_dealt_out_over_requests_that_a_server_takes() -> None:
    many = any_of(tuple(all_of((Has(f"a{n}"), Has(f"b{n}"))) for n in range(5_000)))
    requests = requests_of(many)

    assert len(requests) == 3
    assert all(request is not None and leaves(request) <= CLAUSES + 2 for request in requests)


def test_of_very_many_rules_each_says_what_is_cheapest() -> None:
    trees = [
        And((Text("EventID", "equals", str(n % 50)), Text("Image", "endswith", f"y{n}")))
        for n in range(3_000)
    ]
    (request,) = requests_of(rules_anchor(trees))

    assert request is not None
    assert leaves(request) == 3


def test_whole_texts_of_one_key_are_one_clause() -> None:
    trees = [Text("EventID", "equals", str(n)) for n in range(1_000)]
    (request,) = requests_of(rules_anchor(trees))

    assert request is not None
    assert leaves(request) == 3  # the terms, and the two marks of what is not indexed


def test_one_rule_that_is_too_much_for_a_request_asks_for_everything() -> None:
    tree = And(
        tuple(Or(tuple(Text(f"f{n}", "startswith", f"{m}") for m in range(900))) for n in range(9))
    )
    wide = anchor_of(tree, 10**9)

    assert requests_of(wide) == [None]
    assert requests_of(ANYTHING) == [None]


def test_the_anchor_of_three_thousand_rules_takes_moments() -> None:
    trees: list[Node] = [
        And((Text("EventID", "equals", str(n % 7)), Text("Image", "endswith", f"\\{n}.exe")))
        for n in range(3_000)
    ]
    begun = time.process_time()
    rules_anchor(trees)
    print(f"anchor of 3,000 rules: {time.process_time() - begun:.2f} CPU-s")


@pytest.mark.parametrize(
    ("anchor", "query"),
    [
        (Fits("CommandLine", ("a*",)), {"wildcard": {"fold.CommandLine": {"value": "*a\\**"}}}),
        (
            Fits("CommandLine", ("a", "b"), starts=True),
            {"wildcard": {"fold.CommandLine": {"value": "a*b*"}}},
        ),
        (Fits("CommandLine", ("ab",), ends=True), {"prefix": {"rev.CommandLine": {"value": "ba"}}}),
        (Fits("rare", ("ab",), starts=True), {"prefix": {"rest.rare": {"value": "ab"}}}),
        (Fits("rare", ("x", "ab"), ends=True), {"prefix": {"rest_rev.rare": {"value": "ba"}}}),
        (Fits("rare", ("ab",)), {"exists": {"field": "rest.rare"}}),
        (Fits("x*", ("ab",)), {"match_all": {}}),
        (Fits("event.id", ("ab",), starts=True, ends=True), {"ids": {"values": ["ab"]}}),
        (Fits("event.id", ("ab",), starts=True), {"match_all": {}}),
        (Within("source.ip", "10.0.0.0/8"), {"term": {"ip.source.ip": "10.0.0.0/8"}}),
        (Within("rare", "10.0.0.0/8"), {"exists": {"field": "rest.rare"}}),
        (Between("EventID", 1.0, None), {"range": {"number.EventID": {"gte": 1.0}}}),
        (Between("rare", 1.0, None), {"exists": {"field": "rest.rare"}}),
        (During(None, 5), {"range": {"at": {"lte": 5}}}),
        (ANYTHING, {"match_all": {}}),
    ],
)
def test_an_anchor_as_the_servers_query(anchor: Anchor, query: object) -> None:
    assert dsl_of(anchor) == query


OPERATIONS = ("equals", "contains", "startswith", "endswith")
AWKWARD = (
    "a",
    "E",
    "e",
    "\u0301",
    "\u00e9",
    "\u00df",
    "ss",
    "\u017f",
    "\u212a",
    "x\r",
    "\n",
    "*\\",
)


def test_every_awkward_literal_on_every_text_is_let_through() -> None:
    trees: list[Node] = [
        Text("CommandLine", operation, literal, cased=cased)  # type: ignore[arg-type]
        for operation in OPERATIONS
        for text in AWKWARD
        for literal, cased in ((text, True), (fold(text), False))
    ]
    trees += [Regex("CommandLine", f"(?i){re.escape(text)}") for text in AWKWARD]
    trees += [
        Pattern("CommandLine", (first, Gap.RUN, last), cased=True)
        for first in AWKWARD
        for last in AWKWARD
    ]
    texts = {*SHORT, *("".join(three) for three in product(AWKWARD, ("", "x", "\n"), AWKWARD))}
    events = numbered([{"CommandLine": text} for text in sorted(texts)])
    shadows = [shadow_of(each.event) for each in events]
    found = evaluate(Program(trees), table_of(batch_of(events)))
    pairs = 0
    for position, rows in found.items():
        anchor = anchor_of(trees[position], 100)
        for row in rows.tolist():
            pairs += 1
            assert holds(anchor, shadows[row]), (trees[position], events[row])
    print(f"anchors: {len(trees)} questions x {len(events)} texts, {pairs} hold, 0 kept back")
    assert pairs > len(events)


def test_what_is_kept_of_an_event() -> None:
    fields = {
        "Odd Name": ("A", "a"),
        "source.ip": ("::ffff:10.1.2.3", "x"),
        "EventID": ("7", "NaN"),
    }
    shadow = shadow_of(event_of(1, fields | {"n\x00": "x", "long": "x" * 9_000}))

    assert shadow.texts["OddName"] == ["a"]
    assert shadow.texts["log.source"] == ["nasty"]
    assert shadow.addresses == {"source.ip": ["10.1.2.3"]}
    assert shadow.numbers == {"EventID": [7.0]}
    assert shadow.vague == ("n\x00", "long")


def test_a_batch_tells_what_was_looked_at() -> None:
    rows = batch_of(numbered([{}, {}]))
    some = batch_of(numbered([{}]), scanned=7, until=9)

    assert (rows.events, rows.last_seq) == (2, 2)
    assert (some.events, some.last_seq) == (7, 9)
    assert (batch_of([]).events, batch_of([]).last_seq) == (0, 0)
