"""The engine answers like the slow, obvious matcher, on nasty rules and nasty events."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import TableBuilder, batch_of, keyword_text, row_fields, table_of
from detectors.core.events.text import fold
from detectors.core.sigma.tree import (
    KEYWORDS,
    Absent,
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
    TimePart,
    fields_of,
)
from secops.kernel.logs import LogEvent, Value
from tests.fakes.sigma_matcher import holds

NAMES = ("A", "B", "NewValue", "EventID")
EVENT_NAMES = (*NAMES, "New Value", "System.EventID", "System.A", "host.name")
BITS = (
    "a",
    "A",
    "b",
    "ab",
    "\\",
    "*",
    "?",
    "",
    "ß",
    "SS",
    "é",
    "e\u0301",
    "İ",
    "K",
    "\r\n",
    "\n",
    "10",
    "-",
)
WHOLE = (
    "10.1.2.3",
    "::ffff:10.1.2.3",
    "2001:db8::1",
    "42",
    "-1.5",
    "0x2a",
    "1e3",
    "2026-11-22T23:59:01+08:00",
    "2026-01-01 05:00:00",
    "true",
)

texts = st.one_of(st.sampled_from(WHOLE), st.lists(st.sampled_from(BITS), max_size=5).map("".join))
folded = texts.map(fold)
event_values = st.one_of(texts, st.lists(texts, min_size=2, max_size=3).map(tuple))
events = st.dictionaries(st.sampled_from(EVENT_NAMES), event_values, max_size=5)
fields = st.sampled_from(NAMES)
operations = st.sampled_from(("equals", "contains", "startswith", "endswith"))
comparisons = st.sampled_from(("lt", "lte", "gt", "gte", "eq"))


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    cased = draw(st.booleans())
    literals = texts.filter(bool) if cased else folded.filter(bool)
    parts = draw(st.lists(st.one_of(literals, st.sampled_from(list(Gap))), min_size=1, max_size=6))
    merged: list[str | Gap] = []
    for part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            continue
        merged.append(part)
    return Pattern(draw(fields), tuple(merged), cased)


@st.composite
def plain_texts(draw: st.DrawFn) -> Text:
    cased, operation = draw(st.booleans()), draw(operations)
    literal = draw((texts if cased else folded).filter(lambda t: bool(t) or operation == "equals"))
    name = draw(st.one_of(fields, st.just(KEYWORDS)))
    return Text(name, operation, literal, cased)


atoms: st.SearchStrategy[Node] = st.one_of(
    plain_texts(),
    patterns(),
    st.builds(
        Regex,
        fields,
        st.sampled_from(
            (
                "a+b",
                "^ab?$",
                "(?i)AB",
                "[^a]b|ss",
                "a.b",
                "(ab)+",
                r"\d{2}",
                "é",
                r"a\\b",
                "ab{0,2}",
                r"\bab",
            )
        ),
    ),
    st.builds(Network, fields, st.sampled_from(("10.1.0.0/16", "2001:db8::/32", "0.0.0.0/0"))),
    st.builds(Number, fields, comparisons, st.sampled_from(("42", "-1.5", "0"))),
    st.builds(
        TimePart,
        fields,
        st.sampled_from(("hour", "minute", "week", "year")),
        comparisons,
        st.integers(0, 60),
    ),
    st.builds(Present, fields),
    st.builds(Absent, fields),
    st.builds(Reference, fields, fields, operations),
)
trees: st.SearchStrategy[Node] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda c: And(tuple(c))),
        st.lists(inner, max_size=3).map(lambda c: Or(tuple(c))),
        inner.map(Not),
    ),
    max_leaves=6,
)


def expected(rules: list[Node], found: list[Mapping[str, Value]]) -> set[tuple[int, int]]:
    return {
        (position, row)
        for position, tree in enumerate(rules)
        for row, event in enumerate(found)
        if holds(tree, event, keyword_text(event, b"{}"))
    }


def answered(program: Program, table: object) -> set[tuple[int, int]]:
    return {
        (position, int(row))
        for position, rows in evaluate(program, table).items()  # type: ignore[arg-type]
        for row in rows
    }


@given(st.lists(trees, min_size=1, max_size=4), st.lists(events, max_size=6))
def test_the_engine_and_the_slow_matcher_find_the_same_pairs(
    rules: list[Node], found: list[Mapping[str, Value]]
) -> None:
    program = Program(rules)
    table = TableBuilder(program.names).build(found, [b"{}"] * len(found))
    assert answered(program, table) == expected(rules, found)


@given(st.lists(trees, min_size=1, max_size=4), st.lists(events, min_size=1, max_size=6))
def test_a_stores_batch_gives_the_same_answers(
    rules: list[Node], found: list[Mapping[str, Value]]
) -> None:
    stored = [LogEvent(f"e{n}", "s", n, n, fields, b"{}") for n, fields in enumerate(found)]
    batch = batch_of(stored)
    assert [row_fields(batch, row) for row in range(len(found))] == found
    assert answered(Program(rules), table_of(batch)) == expected(rules, found)


def find(tree: Node, *found: Mapping[str, Value], raws: list[bytes] | None = None) -> list[int]:
    program = Program([tree])
    table = TableBuilder(program.names).build(found, raws or [b"{}"] * len(found))
    return [row for _, row in sorted(answered(program, table))]


def test_a_list_holds_if_any_element_does_and_its_negation_if_none() -> None:
    tree = Text("A", "equals", "b")
    both: Mapping[str, Value] = {"A": ("a", "b")}
    assert find(tree, both, {"A": "a"}) == [0]
    assert find(Not(tree), both, {"A": "a"}, {}) == [1, 2]


def test_a_rule_without_any_anchor_is_asked_everywhere() -> None:
    assert find(Not(Text("A", "equals", "b")), {}, {"A": "b"}, {"B": "b"}) == [0, 2]
    assert find(
        Or((Absent("A"), Text("B", "equals", "b"))), {}, {"A": "a"}, {"B": "b", "A": "1"}
    ) == [0, 2]


def test_an_alternative_without_anchor_makes_all_rows_candidates() -> None:
    tree = And((Present("A"), Or((Not(Text("B", "equals", "b")), Text("A", "equals", "x")))))
    assert find(tree, {"A": "1"}, {"A": "1", "B": "b"}, {"A": "x", "B": "b"}) == [0, 2]
    assert find(Or((Text("A", "equals", "x"), Not(Present("B")))), {}, {"B": "1"}) == [0]


def test_a_literal_without_three_ascii_letters_is_still_asked_everywhere() -> None:
    assert find(Regex("A", "^.$"), {"A": "x"}, {"A": "xy"}) == [0]
    assert find(Regex("A", "abc$"), {"A": "xabc"}, {"A": ("abcabc", "abcd")}, {"A": "abcd"}) == [
        0,
        1,
    ]
    assert find(Text("A", "endswith", "bc"), {"A": "ABC"}, {"A": "abcd"}) == [0]
    assert find(Regex("A", "caf"), {"A": "cafe\u0301"}, {"A": "caf\u00e9"}, {"A": "cof\u00e9"}) == [
        0,
        1,
    ]


def test_the_payload_comes_before_system_and_names_may_differ_by_spaces() -> None:
    tree = Text("Channel", "equals", "application")
    assert find(tree, {"Channel": "Application", "System.Channel": "System"}) == [0]
    assert find(tree, {"Channel": "x", "System.Channel": "Application"}) == []
    assert find(tree, {"System.Channel": "Application"}) == [0]
    assert find(Text("ThreatName", "equals", "eicar"), {"Threat Name": "EICAR"}, {}) == [0]


def test_keywords_read_the_line_of_a_log_and_the_payload_of_structured_events() -> None:
    tree = Text(KEYWORDS, "contains", "c:\\temp")
    windows: Mapping[str, Value] = {
        "System.EventID": "1",
        "Image": r"C:\Temp\x.exe",
        "event.code": "1",
    }
    assert find(tree, windows) == [0]
    assert find(Text(KEYWORDS, "contains", "system"), windows) == []
    assert find(tree, {"message": r"C:\Temp"}, raws=[rb'{"message":"C:\\Temp"}']) == [0]
    assert find(tree, {"user.name": "ann"}, raws=[rb"Nov 22 ann opened c:\TEMP"]) == [0]
    both = And((Text("user.name", "equals", "ann"), tree))
    assert find(both, {"user.name": "eve"}, raws=[rb"c:\temp"]) == []


def test_an_empty_table_holds_nothing() -> None:
    assert find(Absent("A")) == []


def test_the_names_a_rule_asks_for_are_known() -> None:
    tree = And((Not(Present("A")), Or((Reference("B", "C"),))))
    assert fields_of(tree) == {"A", "B", "C"}
    assert Program([tree]).names == {"A", "B", "C"}
