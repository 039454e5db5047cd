"""What is remembered from table to table, and events one by one, answer like the slow matcher."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.engine import memory as remembering
from detectors.core.engine.asking import Patience
from detectors.core.engine.columns import Index, Table
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.memory import FieldMemory, Memory, WordMemory
from detectors.core.engine.program import Program
from detectors.core.engine.single import AtomReader, Reading, evaluate_each
from detectors.core.engine.tables import TableBuilder, batch_of, keyword_text, table_of
from detectors.core.sigma.tree import (
    KEYWORDS,
    Absent,
    And,
    Network,
    Node,
    Not,
    Or,
    Present,
    Reference,
    Regex,
    Text,
    atoms_of,
)
from detectors.models.columns import SparseColumn, sparse
from secops.kernel.logs import LogEvent, Value
from tests.unit.detectors.test_sigma_engine import events, expected, trees

Events = list[Mapping[str, Value]]
LONG = "x" * 40_000 + "Mimikatz" + "y" * 40_000
NASTY: Events = [
    {},
    {"A": ""},
    {"A": LONG, "B": "1"},
    {"A": ("", LONG, "stra\u00dfe"), "System.A": "other"},
    {"A": "STRASSE", "New Value": "caf\u00e9"},
    {"System.A": "mimikatz"},
    {"New Value": "cafe\u0301"},
    {"A": "::ffff:10.1.2.3"},
    {"B": "mimikatz", "A": "MIMIKATZ\r\n"},
]
RULES: list[Node] = [
    Text("A", "contains", "mimikatz"),
    Text("A", "endswith", "y"),
    Text("A", "startswith", "xx"),
    Text("A", "equals", "strasse"),
    Text("A", "equals", "", cased=False),
    Regex("A", "(?i)mimikatz"),
    Regex("NewValue", "caf\u00e9"),
    Text("NewValue", "contains", "e"),
    And((Not(Text("A", "contains", "x")), Present("A"))),
    Absent("A"),
    Network("A", "10.0.0.0/8"),
    Reference("A", "B", "contains"),
    Text(KEYWORDS, "contains", "mimikatz"),
    And((Text(KEYWORDS, "contains", "caf"), Present("NewValue"))),
    Not(Text(KEYWORDS, "contains", "y")),
    Regex(KEYWORDS, "^$"),
]


def table(program: Program, found: Sequence[Mapping[str, Value]]) -> Table:
    return TableBuilder(program.names).build(found, [b"{}"] * len(found))


def pairs(found: Mapping[int, Sequence[int]]) -> set[tuple[int, int]]:
    return {(position, int(row)) for position, rows in found.items() for row in rows}


@given(st.lists(trees, min_size=1, max_size=4), st.lists(events, max_size=6))
def test_events_one_by_one_give_the_pairs_of_the_slow_matcher(
    rules: list[Node], found: Events
) -> None:
    program = Program(rules)
    assert pairs(evaluate_each(program, table(program, found))) == expected(rules, found)


@given(
    st.lists(trees, min_size=1, max_size=4),
    st.lists(st.lists(events, max_size=4), min_size=2, max_size=4),
    st.sampled_from((0, 200, remembering.MOST)),
)
def test_what_is_remembered_changes_no_answer(
    rules: list[Node], tables: list[Events], most: int
) -> None:
    program, memory = Program(rules), Memory(most)
    for found in tables:
        seen = evaluate(program, table(program, found), memory=memory)
        assert pairs(seen) == expected(rules, found)


@given(st.lists(trees, min_size=1, max_size=4), events)
def test_questions_without_a_program_are_answered_alike(
    rules: list[Node], fields: Mapping[str, Value]
) -> None:
    reading = Reading(fields, lambda: keyword_text(fields, b"{}"))
    for atom in {atom for rule in rules for atom in atoms_of(rule)}:
        assert AtomReader(atom).holds(reading) is bool(expected([atom], [fields]))


@pytest.mark.parametrize("order", [NASTY, NASTY[::-1]], ids=["forward", "backward"])
def test_nasty_values_in_tables_of_changing_columns(order: Events) -> None:
    program, memory = Program(RULES), Memory()
    for start in range(len(order)):
        found = order[start : start + 2]
        wanted = expected(RULES, found)
        assert pairs(evaluate(program, table(program, found), memory=memory)) == wanted
        assert pairs(evaluate_each(program, table(program, found))) == wanted


def test_a_stores_batch_with_memory_and_without_is_the_same() -> None:
    program, memory = Program(RULES), Memory()
    stored = [LogEvent(f"e{n}", "s", n, n, fields, b"{}") for n, fields in enumerate(NASTY)]
    once = table_of(batch_of(stored))
    wanted = expected(RULES, NASTY)
    assert pairs(evaluate(program, once)) == wanted
    assert pairs(evaluate(program, once, memory=memory)) == wanted
    assert pairs(evaluate(program, once, memory=memory)) == wanted
    assert pairs(evaluate_each(program, once)) == wanted


def test_values_that_fields_make_are_read_one_by_one_too() -> None:
    name = "domain_user(SubjectUserName,SubjectDomainName)"
    rules: list[Node] = [Text(name, "equals", "corp\\ann"), Present(name), Absent(name)]
    found: Events = [
        {"SubjectUserName": "Ann", "SubjectDomainName": "CORP"},
        {"SubjectUserName": ("bob", "ann"), "SubjectDomainName": "corp"},
        {"SubjectDomainName": "corp"},
        {"SubjectUserName": "ann"},
    ]
    program = Program(rules)
    wanted = expected(rules, found)
    assert pairs(evaluate_each(program, table(program, found))) == wanted
    assert pairs(evaluate(program, table(program, found))) == wanted
    readers = [AtomReader(atom) for rule in rules for atom in atoms_of(rule)]
    for fields in found:
        reading = Reading(fields, lambda: "")
        held = [each.holds(reading) for each in (*readers, *readers)]
        assert held == [(n % 3, 0) in expected(rules, [fields]) for n in range(6)]


def test_a_question_of_many_values_finds_all_their_rows_and_those_without_one() -> None:
    found: Events = [{"A": f"x{n % 250}"} if n % 7 else {} for n in range(900)]
    rules: list[Node] = [Text("A", "contains", "x1"), Or((Absent("A"), Text("A", "equals", "x7")))]
    program = Program(rules)
    assert pairs(evaluate(program, table(program, found))) == expected(rules, found)
    index = Index(sparse(table(program, found).columns["A"]))
    assert sorted(index.rows_of(np.array([0, index.absent])).tolist()) == [
        row for row, fields in enumerate(found) if fields.get("A", "x1") == "x1"
    ]
    assert index.any_of(np.array([0, 1]))
    assert not index.any_of(np.array([0, 7]))


def test_one_value_longer_than_a_block_is_read_in_windows() -> None:
    text = "x" * 300_000 + "Mimikatz" + "y" * 300_000
    rules: list[Node] = [
        Text("A", "contains", "mimikatz"),
        Text("A", "startswith", "xx"),
        Text("A", "endswith", "yy"),
        Text("A", "startswith", "mimikatz"),
    ]
    program = Program(rules)
    found: Events = [{"A": text}]
    assert pairs(evaluate_each(program, table(program, found))) == {(0, 0), (1, 0), (2, 0)}


def test_a_value_is_asked_about_once_however_many_tables_hold_it() -> None:
    program, memory = Program([Regex("A", "ab+c")]), Memory()
    asked: list[str] = []
    question = program.fields["A"].asking(0)
    program.fields["A"]._predicates[0] = lambda text: asked.append(text) or question(text)
    for found in ([{"A": "abc"}, {"A": "abd"}], [{"A": "abd"}, {"A": "abbc"}, {"A": "abc"}]):
        evaluate(program, table(program, found), memory=memory)
    assert sorted(set(asked)) == sorted(asked)


def test_a_question_without_patience_left_is_named_for_one_event_too() -> None:
    program = Program([Regex("A", "ab+c"), Text("A", "contains", "b")])
    ticks = iter(range(0, 1_000, 10))
    patience = Patience(lambda: float(next(ticks)), 2.0)
    found: Events = [{"A": ("abx", "aby", "abz")}]
    assert evaluate_each(program, table(program, found), patience).keys() == {1}
    assert patience.failed[0].startswith("TooSlow")


def test_a_question_that_raises_is_named_or_raised() -> None:
    program = Program([Regex("A", "ab+c"), Text("A", "contains", "b")])

    def broken(_: str) -> bool:
        raise ValueError("no")

    program.fields["A"]._predicates[0] = broken
    patience = Patience(lambda: 0.0, 2.0)
    found: Events = [{"A": "abc"}]
    assert evaluate_each(program, table(program, found), patience).keys() == {1}
    assert patience.failed == {0: "ValueError: no"}
    with pytest.raises(ValueError, match="no"):
        evaluate_each(program, table(program, found))


def test_a_memory_that_is_full_begins_anew() -> None:
    field = Program([Text("A", "contains", "b")]).fields["A"]
    memory = FieldMemory(field, most=100)
    for word in ("abc", "bcd", "cde"):
        memory.learn(column((word, "b", word)))
    assert memory.values == ["cde", "b"]


def test_words_that_were_searched_are_searched_anew_when_too_many_are_kept() -> None:
    field = Program([Text(KEYWORDS, "contains", "bad")]).fields[KEYWORDS]
    words = WordMemory(field, most=100)
    for text in string.ascii_lowercase:
        values = [text, f"{text}BAD", (text, "bad")]
        words.search([values])
        assert words.hits(values) == [(1, field.atoms), (2, field.atoms)]
        assert words.hits([text]) == []


def column(values: Sequence[Value]) -> SparseColumn:
    rows = np.arange(len(values))
    return SparseColumn(values, lambda: (rows, rows.astype(np.int32)), len(values))


def test_a_column_of_few_has_a_code_for_each_row_when_asked() -> None:
    few = SparseColumn(["x"], lambda: (np.array([2]), np.array([0], dtype=np.int32)), 4)
    assert few.codes.tolist() == [-1, -1, 0, -1]
    assert sparse(few) is few
