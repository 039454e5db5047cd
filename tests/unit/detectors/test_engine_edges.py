"""Corners of the engine that whole rules seldom reach."""

from __future__ import annotations

from array import array

import pytest
from sigma.types import Placeholder, SigmaString

from detectors.core.engine.asking import Patience
from detectors.core.engine.columns import Table, View
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.explain import Explainer
from detectors.core.engine.program import Program
from detectors.core.engine.rows import RowTable
from detectors.core.engine.tables import TableBuilder, batch_of, table_of
from detectors.core.sigma.derived import derivation
from detectors.core.sigma.logsources import BadTable, read_table
from detectors.core.sigma.strings import PlaceholderFound, parts_of
from detectors.core.sigma.tree import KEYWORDS, And, Node, Not, Or, Regex, Text
from secops.kernel.logs import Column, LogEvent

NEEDLE = Text(KEYWORDS, "contains", "needle")


def stored(*events: tuple[dict[str, str], bytes]) -> Table:
    return table_of(
        batch_of(
            [LogEvent(f"e{n}", "s", n, n, fields, raw) for n, (fields, raw) in enumerate(events)]
        )
    )


def test_keywords_over_stored_lines_and_structured_events() -> None:
    table = stored(
        ({"System.Channel": "c", "A": "a needle"}, b"{}"),
        ({"System.Channel": "needle", "A": "b"}, b"{}"),
        ({"user.name": "x"}, b"line with a Needle"),
        ({"message": "needle"}, b'{"message":"needle"}'),
        ({"user.name": "x"}, b"line"),
    )
    trees: list[Node] = [NEEDLE, Not(NEEDLE), Or((NEEDLE, Text(KEYWORDS, "contains", "e")))]
    found = evaluate(Program(trees), table)
    assert [found[n].tolist() for n in range(3)] == [[0, 2, 3], [1, 4], [0, 2, 3, 4]]


def test_keywords_of_a_table_of_which_nothing_is_known_are_read_row_by_row() -> None:
    column = Column(["x"], array("i", [0, -1]))
    table = Table(2, {"A": column}, lambda rows: ["needle" if row else "hay" for row in rows])
    trees: list[Node] = [NEEDLE, And((Text("A", "equals", "x"), NEEDLE))]
    assert {n: rows.tolist() for n, rows in evaluate(Program(trees), table).items()} == {0: [1]}


def test_keywords_that_only_a_rule_without_rows_asks_are_never_read() -> None:
    def unread(_: object) -> list[str]:
        raise AssertionError

    table = Table(1, {"A": Column(["x"], array("i", [0]))}, unread)
    assert evaluate(Program([And((Text("A", "equals", "y"), NEEDLE))]), table) == {}


def test_attributes_and_values_of_every_kind_become_columns() -> None:
    rows = RowTable(frozenset({"Provider_Name", "EventID", "A", "B"}))
    rows.add_event(
        {
            "System": {
                "Provider": {"#attributes": {"Name": "p", "Guid": "g"}},
                "EventID": {"#attributes": {"Qualifiers": 1}, "#text": 7},
                "Other": None,
                "Execution": {"#attributes": None},
            },
            "EventData": {"A": [], "B": True, "Unasked": 1},
        }
    )
    rows.add_event({"System": {"Provider": {"#attributes": None}, "EventID": None}})
    view = View(rows.table(lambda _: []))
    got = {name: view.index(name) for name in ("Provider_Name", "EventID", "A", "B")}
    shown = {name: index and [index.value(0), index.value(1)] for name, index in got.items()}
    assert shown == {
        "Provider_Name": ["p", None],
        "EventID": ["7", None],
        "A": None,
        "B": ["true", None],
    }


def test_a_made_value_explains_itself_by_its_fields() -> None:
    name = "domain_user(U,D)"
    (reason,) = Explainer(Text(name, "equals", "d\\u")).explain({"U": "u", "D": "D"}, b"")
    assert reason.seen == "u, D"
    table = TableBuilder(frozenset({"U", "D"})).build([{"U": "u"}, {"D": "d"}], [b"", b""])
    index = View(table).index("domain_user(U,D)")
    assert index is not None
    assert [index.value(0), index.value(1)] == ["u", None]
    only = TableBuilder(frozenset({"U"})).build([{"U": "u"}], [b""])
    alone = View(only).index("domain_user(U,D)")
    assert alone is not None
    assert alone.value(0) == "u"


def test_a_path_outside_the_known_hives_stays() -> None:
    found = derivation("registry_path(K,N)")
    assert found is not None
    assert found[0](("\\OTHER\\x", "")) == "\\OTHER\\x"
    assert derivation("registry_path(K)") is None
    assert derivation("unknown(K)") is None


def test_aliases_that_differ_by_more_than_case_are_refused() -> None:
    with pytest.raises(BadTable):
        read_table([{"aliases": [{"product": "x", "groups": [["a", "b"]]}]}])


def test_a_placeholder_that_nobody_filled_is_never_a_literal() -> None:
    string = SigmaString("x")
    string.s = [Placeholder("p")]
    with pytest.raises(PlaceholderFound):
        parts_of(string)


def test_every_text_of_a_list_is_asked_patiently() -> None:
    program = Program([Regex("F", "^b$")])
    events = [{"F": ("a", "b")}, {"F": ("a", "c")}]
    table = TableBuilder(program.names).build(events, [b"", b""])
    found = evaluate(program, table, Patience(lambda: 0.0, 1.0))
    assert found[0].tolist() == [0]


def test_a_long_text_that_is_quick_to_ask_is_answered() -> None:
    program = Program(
        [Regex("F", "[xy]z$"), Text("F", "contains", "ab"), Text("F", "startswith", "ab")]
    )
    table = TableBuilder(program.names).build([{"F": "ab" * 50_000 + "xz"}], [b""])
    assert sorted(evaluate(program, table, Patience(lambda: 0.0, 1.0))) == [0, 1, 2]


def test_unnamed_data_is_a_list_whatever_stands_beside_it() -> None:
    rows = RowTable(frozenset({"Data", "Binary"}))
    rows.add_event({"System": {}, "EventData": {"Data": {"#text": ["a", "b"]}, "Binary": None}})
    rows.add_event({"System": {}, "EventData": {"Data": {"#text": "c"}, "Binary": "00"}})
    rows.add_event({"System": {}, "EventData": {"Data": {"#text": "d", "#attributes": {"N": "1"}}}})
    index = View(rows.table(lambda _: [])).index("Data")
    assert index is not None
    assert [index.value(row) for row in range(3)] == [("a", "b"), "c", "d"]
