"""Nothing that a log or a rule holds stalls the engine or lets another rule go unasked."""

from __future__ import annotations

import hashlib
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.detection import Detector, Plan
from detectors.core.engine.asking import Patience
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.literals import Literals, is_short
from detectors.core.engine.program import Program
from detectors.core.engine.tables import TableBuilder, batch_of
from detectors.core.sigma.regex import searcher
from detectors.core.sigma.rule import CompiledRule, RuleSet
from detectors.core.sigma.tree import And, Gap, Node, Not, Pattern, Regex, Text
from detectors.models.rules import RuleFile, RuleHeader
from detectors.service.rules.checks import check_rules
from detectors.service.rules.rule_files import compile_rules
from secops.kernel.anchors import ANYTHING
from secops.kernel.clock import SystemClock
from secops.kernel.logs import LogEvent

words = st.text(alphabet="ab\u00e9\u6570-", max_size=6)


@given(st.lists(words.filter(lambda w: not is_short(w)), unique=True, max_size=5), st.lists(words))
def test_literals_are_found_where_they_are_and_nowhere_else(
    wanted: list[str], texts: list[str]
) -> None:
    found: dict[str, set[tuple[int, int]]] = {"any": set(), "start": set(), "end": set()}
    for places in Literals(wanted).find(texts) if wanted else ():
        for literal, text, first, last in zip(
            places.literals.tolist(),
            places.texts.tolist(),
            places.at_start,
            places.at_end,
            strict=True,
        ):
            found["any"].add((literal, text))
            if first:
                found["start"].add((literal, text))
            if last:
                found["end"].add((literal, text))
    pairs = [(n, t) for n in range(len(wanted)) for t in range(len(texts))]
    assert found["any"] == {(n, t) for n, t in pairs if wanted[n] in texts[t]}
    assert found["start"] == {(n, t) for n, t in pairs if texts[t].startswith(wanted[n])}
    assert found["end"] == {(n, t) for n, t in pairs if texts[t].endswith(wanted[n])}


@given(st.lists(st.text(alphabet="ab", max_size=40), max_size=6))
def test_windows_of_long_texts_lose_no_literal(texts: list[str]) -> None:
    wanted = ["ab", "aab", "bbbb"]
    found = {
        (literal, text, bool(first), bool(last))
        for places in Literals(wanted, block=8).find(texts)
        for literal, text, first, last in zip(
            places.literals.tolist(),
            places.texts.tolist(),
            places.at_start,
            places.at_end,
            strict=True,
        )
    }
    for number, literal in enumerate(wanted):
        for at, text in enumerate(texts):
            mine = [each for each in found if each[:2] == (number, at)]
            assert bool(mine) == (literal in text)
            assert any(each[2] for each in mine) == text.startswith(literal)
            assert any(each[3] for each in mine) == text.endswith(literal)


def ask(trees: list[Node], value: str, patience: Patience | None = None) -> list[int]:
    program = Program(trees)
    table = TableBuilder(program.names).build([{"F": value}], [b"{}"])
    return sorted(evaluate(program, table, patience))


MEGABYTE = 1 << 20

ATTACKS = (
    (Regex("F", "(a+)+$"), "a" * MEGABYTE + "!"),
    (Regex("F", "(a|aa)+$"), "a" * MEGABYTE + "!"),
    (Regex("F", "(.*)(.*)(.*)(.*)(.*)x"), "y" * MEGABYTE),
    (Regex("F", "^(([a-z])+.)+[A-Z]([a-z])+$"), "a" * MEGABYTE),
    (Regex("F", r"(\w+\s?)+:$"), "ab " * (MEGABYTE // 3)),
    (Pattern("F", (Gap.RUN, *(p for _ in range(40) for p in ("a", Gap.RUN)), "b")), "a" * MEGABYTE),
    (Text("F", "contains", "a" * 200 + "b"), "a" * MEGABYTE),
    (Text("F", "endswith", "ab"), "a" * MEGABYTE),
)


@pytest.mark.parametrize("attack", range(len(ATTACKS)))
def test_patterns_and_values_made_to_stall_are_answered(attack: int) -> None:
    tree, value = ATTACKS[attack]
    clock = SystemClock()
    started = clock.monotonic()
    assert ask([tree], value) == []
    assert clock.monotonic() - started < 20  # a parser's limit: unbounded ones run for years


def test_the_worst_pattern_on_a_megabyte_is_given_up_after_its_time() -> None:
    clock = SystemClock()
    patience = Patience(clock.monotonic, 0.2)
    started = clock.monotonic()
    trees: list[Node] = [Regex("F", "[ab]*a[ab]{400}c"), Text("F", "contains", "ab")]
    digits = hashlib.shake_256(b"seed").digest(MEGABYTE)
    value = "".join("ab"[byte & 1] for byte in digits)
    assert ask(trees, value, patience) == [1]
    assert "TooSlow" in patience.failed[0]
    assert clock.monotonic() - started < 20


def test_a_value_of_a_megabyte_with_many_short_literals_stays_bounded() -> None:
    trees: list[Node] = [Text("F", "contains", each) for each in (" -", "- ", "--", "-")]
    assert ask(trees, "- -" * (MEGABYTE // 3)) == [0, 1, 2, 3]


def test_a_question_that_takes_too_long_is_given_up_by_name_and_the_others_go_on() -> None:
    ticks = count()
    patience = Patience(lambda: float(next(ticks)) * 2, 3.0)
    slow = And((Text("G", "equals", "x"), Regex("F", "[ab]c?$")))
    program = Program([slow, Text("G", "equals", "x"), Not(Regex("F", "[ab]c?$"))])
    events = [{"F": f"{n}b", "G": "x"} for n in range(9)]
    table = TableBuilder(program.names).build(events, [b"{}"] * 9)
    found = evaluate(program, table, patience)
    assert sorted(found) == [1]
    assert sorted(patience.failed) == [0, 2]
    assert "TooSlow" in patience.failed[0]


def test_a_rule_that_raises_is_named_and_the_others_go_on() -> None:
    broken = Regex("F", "(")
    patience = Patience(SystemClock().monotonic, 5.0)
    assert ask([broken, Text("F", "contains", "bc")], "abc", patience) == [1]
    assert list(patience.failed) == [0]
    with pytest.raises(Exception, match="missing"):
        ask([broken], "abc")


def test_a_pattern_whose_program_is_too_large_is_refused_with_its_line() -> None:
    text = (
        "title: t\nlogsource: {product: x}\ndetection:\n  sel:\n"
        "    F|re: '.{900}a.{900}b'\n  condition: sel\n"
    )
    rules = compile_rules([RuleFile("r.yml", text.encode())])
    assert rules.rules == ()
    assert rules.problems[0].line == 5
    with pytest.raises(Exception, match="too large"):
        searcher(".{900}a.{900}b")


BROKEN = Regex("message", "(")


def detector(name: str, tree: Node) -> Detector:
    header = RuleHeader(name, name, "low", "stable", "1", f"{name}.yml")
    return Detector(header, "1", (CompiledRule(header, tree),))


def test_a_plan_reports_who_raised_and_who_was_too_slow_and_finds_with_the_others() -> None:
    good = detector("good", Text("F", "equals", "ab"))
    broken = detector("broken", Regex("F", "("))
    slow = detector("slow", Regex("F", "[ab]b?$"))
    ticks = count()
    events = [LogEvent(f"e{n}", "s", n, n, {"F": f"{n}ab"}, b"{}") for n in range(5)]
    events.append(LogEvent("e9", "s", 9, 9, {"F": "AB"}, b"{}"))
    plan = Plan([good, broken, slow], lambda: float(next(ticks)))
    findings, failures = plan.find(batch_of(events))
    assert [(each.detector, each.row) for each in findings] == [(good, 5)]
    assert [each.detector for each in failures] == [broken, slow]
    assert "missing" in failures[0].why
    assert "TooSlow" in failures[1].why
    found, failed = Plan([good, slow]).find(batch_of(events))
    assert (len(found), failed) == (6, [])


def test_check_rules_names_a_rule_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "title: t\nid: r1\nlogsource: {product: linux, service: sshd}\n"
        "detection:\n  sel:\n    message|re: 'a(b'\n  condition: sel\n"
    )
    rules = RuleSet(
        (CompiledRule(RuleHeader("r1", "t", "low", "stable", "1", "r.yml", 3), BROKEN),)
    )
    monkeypatch.setattr("detectors.service.rules.checks.compile_rules", lambda _: rules)
    report = check_rules([RuleFile("r.yml", text.encode())], lambda _: (), 0)
    assert not report.good
    assert [(p.line, p.rule_id) for p in report.problems if "raises" in p.what] == [(3, "r1")]


def test_of_a_rule_that_has_no_anchor_to_be_made_every_event_is_looked_at() -> None:
    unheard_of = detector("unheard-of", object())  # type: ignore[arg-type]
    assert Plan([unheard_of]).anchor == ANYTHING
