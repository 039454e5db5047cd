"""What correlations may refer to, what the checks say of them, and that the manual is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from detectors.core.correlation.chains import episode_id
from detectors.core.correlation.conditions import MAX_DEPTH, MAX_TEXT
from detectors.core.correlation.grouping import MAX_KEYS, Grouper, Hit
from detectors.core.correlation.parser import read_correlation
from detectors.core.correlation.references import MAX_CHAIN
from detectors.core.correlation.sliding import count_runs, order_of, window_starts
from detectors.core.detection import Detector, detectors_of
from detectors.core.engine.tables import batch_of
from detectors.core.sigma.codec import decode_rules, encode_rules
from detectors.models.correlation import Episode, Uncounted
from detectors.models.rules import RuleFile, RuleHeader, RuleProblem
from detectors.service.rules.checks import Sample, check_rules, fired_on, sample_events
from detectors.service.rules.rule_files import compile_rules
from secops.kernel.logs import LogEvent

MANUAL = (Path(__file__).resolve().parents[3] / "docs" / "manual" / "add_a_rule.md").read_text()
HEADER = RuleHeader("c", "c", "low", "stable", "v", "c.yml")
RULE = """
---
title: rule a
name: a
logsource: {product: linux, service: sshd}
detection:
  selection: {event.action: ssh_login}
  condition: selection
"""


def correlation(title: str, rules: str, more: str = "") -> str:
    body = f"type: event_count, rules: [{rules}], timespan: 1m, condition: {{gte: 2}}"
    return f"---\ntitle: {title}\nname: {title}\ncorrelation: {{{body}{more}}}\n"


def resolved(text: str) -> tuple[dict[str, Detector], tuple[RuleProblem, ...]]:
    rules = compile_rules([RuleFile("r.yml", text.encode())])
    assert rules.problems == ()
    detectors, problems = detectors_of(rules)
    return {detector.header.title: detector for detector in detectors}, problems


def test_a_chain_is_evaluated_from_the_inside_and_only_its_end_speaks() -> None:
    text = correlation("outer", "inner, a") + correlation("inner", "a") + RULE
    detectors, problems = resolved(text)
    assert problems == ()
    assert list(detectors) == ["outer"]
    outer = detectors["outer"]
    assert [each.header.title for each in outer.chain] == ["inner", "outer"]
    assert [rule.header.title for rule in outer.rules] == ["rule a"]
    loud, _ = resolved(text.replace("gte: 2}}", "gte: 2}, generate: true}"))
    assert list(loud) == ["rule a", "outer", "inner"]


def test_another_text_of_an_inner_correlation_is_another_version() -> None:
    files = [
        RuleFile("o.yml", correlation("outer", "inner").encode()),
        RuleFile("i.yml", (correlation("inner", "a") + RULE).encode()),
    ]
    other = RuleFile("i.yml", files[1].content.replace(b"1m", b"2m"))
    versions = {
        next(d for d in detectors_of(compile_rules(some))[0] if d.header.title == "outer").version
        for some in (files, [files[0], other])
    }
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (correlation("x", "x"), "refers to itself"),
        (correlation("x", "y") + correlation("y", "z") + correlation("z", "x"), "refers to itself"),
        (correlation("x", "nobody, a"), "refers to nobody, which is not a rule here"),
        (
            correlation("x", "y", ", group-by: [u]") + correlation("y", "a", ", group-by: [v]"),
            "needs u of 'y'",
        ),
        (
            correlation("x", "y").replace("event_count", "first_seen").replace("gte: 2", "field: u")
            + correlation("y", "a", ", group-by: [u]"),
            "first_seen counts rules only",
        ),
    ],
)
def test_circles_and_lost_fields_are_refused_by_name(text: str, what: str) -> None:
    _, problems = resolved(text + RULE)
    assert any(what in problem.what for problem in problems)
    assert all(problem.fatal for problem in problems)


def test_a_chain_has_a_greatest_length() -> None:
    links = "".join(correlation(f"c{n}", f"c{n + 1}") for n in range(MAX_CHAIN + 1))
    detectors, problems = resolved(links + correlation(f"c{MAX_CHAIN + 1}", "a") + RULE)
    assert [problem.what for problem in problems] == ["rests on more than 20 correlations"]
    assert "c0" not in detectors


def test_two_ways_to_one_correlation_are_no_circle() -> None:
    text = correlation("top", "left, right") + correlation("left", "low")
    detectors, problems = resolved(
        text + correlation("right", "low") + correlation("low", "a") + RULE
    )
    assert problems == ()
    assert [c.header.title for c in detectors["top"].chain] == ["low", "left", "right", "top"]


def test_an_alias_that_leaves_a_rule_out_or_is_not_used_is_named() -> None:
    more = ", group-by: [who], aliases: {who: {a: user.name}, what: {a: x, b: x}}"
    text = correlation("c", "a, b", more) + RULE + RULE.replace("name: a", "name: b")
    report = check_rules([RuleFile("r.yml", text.encode())], lambda _: (), 0)
    assert [(p.what, p.fatal) for p in report.problems] == [
        ("the alias who does not say what the field is in b", False),
        ("the alias what is not used in group-by", False),
    ]


def test_a_correlation_of_each_type_survives_the_cache() -> None:
    rules = compile_rules([RuleFile("m.yml", manual_rules(MANUAL).encode())])
    again = decode_rules(encode_rules(rules), "m.yml")
    assert again.correlations == rules.correlations
    assert len(rules.correlations) == 4


def test_more_groups_than_an_event_may_stand_for_are_cut_and_counted() -> None:
    section = {"type": "event_count", "rules": ["a"], "timespan": "1m", "condition": {"gte": 1}}
    read = read_correlation({**section, "group-by": list("xyz")}, HEADER)
    many = tuple(map(str, range(1_000)))
    hit = Hit(1, "e", (frozenset({"a"}),), {"x": many, "y": many, "z": many})
    matches, uncounted = Grouper(read).matches_of(hit)
    assert (len(matches), uncounted) == (MAX_KEYS, Uncounted(cut=1))


def test_a_silence_of_nothing_has_an_id_of_its_own() -> None:
    section = {"type": "absence", "rules": ["a"], "timespan": "1m", "expected": ["x"]}
    read = read_correlation({**section, "group-by": ["h"]}, HEADER)
    ids = {episode_id(read, Episode(("x",), at, at + 60, at + 60, "0", (), 0)) for at in (1, 2)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("section", "what"),
    [
        ({"timespan": "1m", "rules": 7}, "rules is a name or a list of names"),
        ({"group-by": list("abcdefghi")}, "more than 8 fields"),
        ({"rules": [f"r{n}" for n in range(201)]}, "at most 200"),
        ({"generate": "yes"}, "true or false"),
        ({"aliases": ["u"]}, "aliases are a map"),
        ({"condition": {"gte": 1, "more": 2}}, "invalid items: more"),
        ({"condition": {"gte": "1" * 40}}, "no valid number"),
        ({"timespan": "11y"}, "between"),
        ({"type": "absence", "condition": None, "expected": "x"}, "expected is a list"),
    ],
)
def test_what_is_not_a_correlation_is_refused(section: dict[str, object], what: str) -> None:
    whole = {"type": "event_count", "rules": ["a"], "timespan": "1m", "condition": {"gte": 1}}
    with pytest.raises(ValueError, match=what):
        read_correlation({**whole, **section}, HEADER)


def test_a_correlation_that_is_no_map_is_a_problem_of_its_file() -> None:
    text = "title: c\ncorrelation: [event_count]\n"
    rules = compile_rules([RuleFile("c.yml", text.encode())])
    assert [problem.what for problem in rules.problems] == ["a correlation is a map"]


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("a" * (MAX_TEXT + 1), "longer than"),
        ("(" * (MAX_DEPTH + 2) + "a" + ")" * (MAX_DEPTH + 2), "nested deeper"),
        ("not " * (MAX_DEPTH + 2) + "a", "nested deeper"),
        (" and ".join(f"(a{n} or b{n})" for n in range(7)), "more than 64 ways"),
    ],
)
def test_a_hostile_condition_is_refused_in_time(condition: str, what: str) -> None:
    section = {"type": "temporal", "timespan": "1m", "condition": condition}
    with pytest.raises(ValueError, match=what):
        read_correlation(section, HEADER)


def test_counting_slides_where_one_key_for_all_groups_would_not_fit() -> None:
    import numpy as np  # noqa: PLC0415 - heavy

    far = 1 << 61
    groups = np.array([0, 1, 0, 1, 2], np.int64)
    times = np.array([5, 0, 0, far, 7], np.int64)
    order = order_of(groups, times)
    assert order.tolist() == [2, 0, 1, 3, 4]
    starts = window_starts(groups[order], times[order], 10)
    assert starts.tolist() == [0, 0, 2, 3, 4]
    begins, ends, first = count_runs(groups[order], times[order], 10, 2)
    assert (begins.tolist(), ends.tolist(), first.tolist()) == ([0], [2], [2])
    nothing = np.zeros(0, np.int64)
    assert [each.tolist() for each in count_runs(nothing, nothing, 10, 1)] == [[], [], []]


def manual_rules(text: str) -> str:
    """Return the YAML of the manual's chapter on correlations as one file."""
    chapter = text[text.index("## 1b.") : text.index("## 2.")]
    return "\n---\n".join(re.findall(r"```yaml\n(.*?)```", chapter, re.DOTALL))


def line(at: int, what: str, address: str = "203.0.113.9", host: str = "web") -> bytes:
    day, rest = divmod(at, 86_400)
    stamp = f"Nov {day + 1:2d} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{stamp} {host} sshd[1]: {what} password for ann from {address} port 7 ssh2\n".encode()


FAILED, ACCEPTED = "Failed", "Accepted"
FIVE = b"".join(line(n * 60, FAILED) for n in range(5))
FOUR = b"".join(line(n * 60, FAILED) for n in range(4))
SILENT = "A host sends no sign-in logs any more"
NEW = "An account signs in from an address it has not used for 90 days"
SAME = "The address that failed signs in as somebody"
GUESSING = "SSH password guessing from one address"


def fired(text: str, lines: bytes) -> set[str]:
    rules = compile_rules([RuleFile("m.yml", text.encode())])
    assert rules.problems == ()
    detectors, problems = detectors_of(rules)
    assert problems == ()
    mine = [each for each in detectors if each.correlation is not None]
    found = sample_events(Sample("p.log", "positive", lines), 1_795_000_000_000_000)
    events = [event for _, event in found if isinstance(event, LogEvent)]
    ids = set(fired_on(mine, batch_of(events)))
    return {each.header.title for each in mine if each.header.id in ids}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (FIVE, set()),
        (FIVE + line(600, ACCEPTED), {SAME}),
        (FOUR + line(600, ACCEPTED), set()),
        (FIVE + line(600, ACCEPTED, "198.51.100.1"), set()),
        (FIVE + line(4_000, ACCEPTED), {SILENT}),
        (line(0, ACCEPTED) + line(15 * 86_400, ACCEPTED, "198.51.100.1"), {SILENT, NEW}),
        (line(0, ACCEPTED) + line(15 * 86_400, ACCEPTED), {SILENT}),
    ],
)
def test_the_examples_of_the_manual_do_what_it_says(lines: bytes, found: set[str]) -> None:
    assert fired(manual_rules(MANUAL), lines) == found


def test_the_manuals_first_example_counts_and_its_text_conditions_are_read() -> None:
    (first, *_) = re.findall(r"```yaml\n(.*?)```", MANUAL[MANUAL.index("## 1b.") :], re.DOTALL)
    assert (fired(first, FIVE), fired(first, FOUR)) == ({GUESSING}, set())
    for kind, condition in re.findall(r"\| `([a-z_]+)`.*\| `(\{.*?\})`", MANUAL):
        section = {"type": kind, "rules": ["a", "b"], "timespan": "1m"}
        parsed = read_correlation({**section, "condition": yaml.safe_load(condition)}, HEADER)
        assert parsed.type == kind
    text = {"type": "temporal", "timespan": "1m", "condition": "a and not (b or c)"}
    assert read_correlation(text, HEADER).rules == ("a", "b", "c")
