"""Log sources, the cache's form, lint, explanations, subjects, regular expressions."""

from __future__ import annotations

import lzma
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import orjson
import pytest
import re2
from hypothesis import assume, given
from hypothesis import strategies as st
from sigma.rule import SigmaDetectionItem
from sigma.types import SigmaQueryExpression

from detectors.core.correlation.grouping import Grouper
from detectors.core.detection import Plan, detectors_of, hits_of
from detectors.core.engine.explain import Explainer, expected
from detectors.core.engine.questions import predicate, time_part, wildcard
from detectors.core.engine.tables import batch_of
from detectors.core.events.numbers import decimal
from detectors.core.formats.windows import flatten_event
from detectors.core.sigma import conditions
from detectors.core.sigma.codec import decode_rules, decode_tree, encode_rules, encode_tree
from detectors.core.sigma.compiler import compile_file
from detectors.core.sigma.lint import lint_rule
from detectors.core.sigma.logsources import BadTable, Table, read_table
from detectors.core.sigma.parser import parse_file
from detectors.core.sigma.regex import required_literal
from detectors.core.sigma.rule import RuleSet
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
)
from detectors.core.sigma.values import Unsupported, value_node
from detectors.core.subjects import common_subjects, risk_subjects, subjects_of
from detectors.models.alerts import Reason
from detectors.models.correlation import Uncounted
from detectors.models.rules import RuleFile
from detectors.service.rules.rule_files import known_fields, logsource_table
from detectors.service.rules.windows_fields import windows_fields
from secops.kernel.logs import LogEvent, Value
from tests.unit.detectors.test_sigma_engine import trees

SYSMON = "microsoft-windows-sysmon/operational"


def compiled(text: str, table: Table | None = None) -> RuleSet:
    parsed = parse_file(RuleFile("r.yml", text.encode()))
    assert parsed.problems == ()
    return compile_file(parsed, table or logsource_table()[0])


def tree_for(logsource: str, item: str = "A: 1") -> Node:
    text = f"title: t\nlogsource: {logsource}\ndetection: {{sel: {{{item}}}, condition: sel}}\n"
    return compiled(text).rules[0].tree


def equals(name: str, literal: str) -> Text:
    return Text(name, "equals", literal)


def test_process_creation_is_sysmon_or_the_security_log_under_its_own_names() -> None:
    assert tree_for("{product: windows, category: process_creation}", "Image: x") == Or(
        (
            And(
                (
                    equals("System.Channel", SYSMON),
                    equals("System.EventID", "1"),
                    equals("Image", "x"),
                )
            ),
            And(
                (
                    equals("System.Channel", "security"),
                    equals("System.EventID", "4688"),
                    equals("NewProcessName", "x"),
                )
            ),
            And(
                (
                    equals("event.category", "process"),
                    equals("event.type", "start"),
                    equals("host.os.type", "windows"),
                    equals("process.executable", "x"),
                )
            ),
        )
    )


def test_category_and_service_restrict_together_and_only_the_closest_entry_counts() -> None:
    assert tree_for("{product: windows, service: security}") == And(
        (equals("System.Channel", "security"), equals("A", "1"))
    )
    assert tree_for("{product: windows}") == And((Present("System.Channel"), equals("A", "1")))
    both = tree_for("{category: webserver, service: nginx}", "cs-method: GET")
    assert both == And(
        (
            equals("event.category", "web"),
            equals("event.module", "nginx"),
            equals("http.request.method", "get"),
        )
    )


def test_several_channels_are_alternatives_and_references_are_renamed_too() -> None:
    both = tree_for("{product: windows, category: registry_event}")
    assert isinstance(both, Or)
    node = both.children[0]
    assert isinstance(node, And)
    assert node.children[1] == Or(tuple(equals("System.EventID", n) for n in ("12", "13", "14")))
    assert tree_for("{category: webserver}", "cs-host|fieldref: c-ip") == And(
        (equals("event.category", "web"), Reference("url.domain", "source.ip"))
    )


def test_an_unknown_source_is_taken_by_its_dataset_and_an_impossible_one_never_fires() -> None:
    assert tree_for("{product: aws, service: cloudtrail}") == And(
        (equals("event.dataset", "aws.cloudtrail"), equals("A", "1"))
    )
    assert tree_for("{product: windows, service: nonsense}") == And(
        (equals("event.dataset", "windows.nonsense"), equals("A", "1"))
    )
    assert tree_for("{product: windows, category: file_access}") == Or(())


def test_null_is_also_an_empty_text_on_windows_unless_the_rule_tells_them_apart() -> None:
    source = "{product: windows, service: security}"
    channel = equals("System.Channel", "security")
    assert tree_for(source, "A: null") == And((channel, Or((Absent("A"), equals("A", "")))))
    assert tree_for("{product: linux, service: sudo}", "A: null") == And(
        (equals("process.name", "sudo"), Absent("A"))
    )
    text = (
        f"title: t\nlogsource: {source}\ndetection:\n  a: {{A: null}}\n  b: {{A: ''}}\n"
        "  c: {B: null}\n  condition: not a and not b and not c\n"
    )
    node = compiled(text).rules[0].tree
    assert isinstance(node, And)
    assert node.children[1] == And(
        (Not(Absent("A")), Not(equals("A", "")), Not(Or((Absent("B"), equals("B", "")))))
    )


@pytest.mark.parametrize("entry", [{"product": "x"}, {"alternative": [{}]}, {"alternative": 5}, 7])
def test_a_table_entry_of_another_shape_is_refused(entry: object) -> None:
    with pytest.raises(BadTable):
        read_table([{"logsource": [entry]}])


@given(trees)
def test_a_tree_survives_the_cache(tree: Node) -> None:
    assert decode_tree(encode_tree(tree)) == tree


def test_a_file_survives_the_cache_with_its_header_and_problems() -> None:
    text = (
        "title: t\nlevel: high\ntags: [a.b]\ncustom: {k: v}\nlogsource: {product: windows}\n"
        "detection: {s: {A: 1}, condition: s}\n---\ntitle: bad\n"
    )
    parsed = parse_file(RuleFile("old/r.yml", text.encode()))
    rules = compile_file(parsed, logsource_table()[0])
    encoded = encode_rules(rules)
    again = decode_rules(encoded, "old/r.yml")
    assert again == rules
    assert decode_rules(encoded, "new.yml").problems[0].path == "new.yml"


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("abc", "abc"),
        ("ab+cd", "ab"),
        ("abc?d", "ab"),
        ("ab*", "a"),
        ("a{2}bcd", "bcd"),
        ("a{bc", "bc"),
        (r"\.exe$", ".exe"),
        (r"\dfoo\s", "foo"),
        (r"\x41BC", ""),
        (r"\Qa.b\E", ""),
        ("a|b", ""),
        ("(a|b)cde", "cde"),
        ("(a[)]b|\\)c)de", "de"),
        ("[abc]def", "def"),
        ("[]abc]def", "def"),
        ("[^]abc]def", "def"),
        ("[[:alpha:]]xyz", "xyz"),
        ("é+abc", "abc"),
        ("(?i)Abc", "Abc"),
        ("(abc", ""),
        ("[abc", ""),
        ("(\\Q)\\E)abc", ""),
        ("abc\\", ""),
        ("", ""),
    ],
)
def test_the_literal_that_every_match_contains(pattern: str, literal: str) -> None:
    assert required_literal(pattern) == literal


PIECES = (
    "a",
    "B",
    "cd",
    ".",
    "*",
    "+",
    "?",
    "{2}",
    "(",
    ")",
    "(?i)",
    "(?:",
    "[",
    "]",
    "[^a]",
    "\\d",
    "\\.",
    "|",
    "^",
    "$",
    "\\b",
    "{",
)


@given(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.text(alphabet="aBcdb.{ ", max_size=12),
)
def test_whatever_a_pattern_finds_contains_its_literal(pattern: str, text: str) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(pattern, options).search(text)
    except re2.error:
        assume(condition=False)
        return
    if found is not None:
        assert required_literal(pattern).lower() in text.lower()


def test_a_long_row_of_stars_is_decided_quickly() -> None:
    fits = wildcard(tuple(part for _ in range(200) for part in (Gap.RUN, "a")))
    assert fits("a" * 20_000) is True
    assert fits("a" * 20_000 + "b") is False
    assert fits("a" * 100) is False
    assert wildcard((Gap.ONE, "b"))("ab")
    assert not wildcard(("a", Gap.RUN, "a"))("a")


def test_numbers_and_times_are_read_strictly() -> None:
    assert [
        decimal(text) is not None for text in ("42", "-1.5", "0x2a", "1e3", "nan", "٣", "9" * 65)
    ] == [
        True,
        True,
        False,
        False,
        False,
        False,
        False,
    ]
    assert time_part("2026-11-22T23:59:01+08:00", "hour") == 23
    assert time_part("2027-01-01", "week") == 53
    assert time_part("yesterday", "hour") is None
    assert time_part("2026-01-01T00:00:00" + "0" * 60, "hour") is None
    assert predicate(Network("F", "10.0.0.0/8"))("1" * 65) is False
    assert predicate(Text("F", "startswith", "Ab", cased=True))("Abc")
    assert predicate(Text("F", "endswith", "Ab", cased=True))("xAb")


def lint(logsource: str, item: str) -> list[tuple[bool, str]]:
    text = f"title: t\nlogsource: {logsource}\ndetection: {{sel: {item}, condition: sel}}\n"
    rules = compiled(text)
    found = lint_rule(rules.rules[0], logsource_table()[0], known_fields(), windows_fields())
    return [(problem.fatal, problem.what) for problem in found]


def test_a_rule_that_can_never_fire_is_named() -> None:
    sshd = "{product: linux, service: sshd}"
    assert lint(sshd, "{source.ip: 1}") == []
    assert lint(sshd, "{sorce.ip: 1}") == [(True, "can never fire: unknown fields: sorce.ip")]
    assert lint(sshd, "[{sorce.ip: 1}, {source.ip: 1}]") == [(False, "unknown fields: sorce.ip")]
    assert lint(sshd, "{sorce.ip: null}") == [(False, "unknown fields: sorce.ip")]
    assert lint(sshd, "{sorce.ip|neq: 1}") == [(False, "unknown fields: sorce.ip")]
    assert lint(sshd, "{sorce.ip|exists: false}") == [(False, "unknown fields: sorce.ip")]
    assert lint(sshd, "{source.ip|fieldref: sorce}") == [
        (True, "can never fire: unknown fields: sorce")
    ]
    assert lint(sshd, "[word]") == []
    assert lint("{product: aws, service: x}", "{a: 1}")[0][0] is False
    assert "no log has" in lint("{product: windows, category: file_rename}", "{a: 1}")[0][1]
    assert lint("{product: windows}", "{anything: 1}") == []
    assert lint("{category: proxy}", "{c-uri: 1}") == []


def test_fields_that_no_windows_event_of_a_kind_has_are_a_warning() -> None:
    creation = "{product: windows, category: process_creation}"
    access = "{product: windows, category: process_access}"
    assert lint(creation, "{Image|endswith: a, ParentImage: b, OriginalFileName: c}") == []
    lacking = "fields that no such event of Windows has: Imphash"
    never = f"can never fire on Windows' own events: {lacking}"
    assert lint(creation, "{Imphash: a}") == [(False, never)]
    assert lint(creation, "[{Imphash: a}, {Hashes: b}]") == [(False, lacking)]
    assert lint(creation, "{MandatoryLabel: x}") == [], "4688 has it"
    assert lint(access, "{SourceProcessGUID: x}") == [], "written in another case"
    assert lint(access, "{EventID: 10, Computer: x}") == [], "System's fields"
    assert lint(access, "[word]") == []
    assert lint("{product: windows, service: security}", "{Anything: 1}") == []


@pytest.mark.corpus
def test_real_windows_events_have_no_field_that_the_catalogue_lacks(corpus: Path) -> None:
    known = {pair: {name.lower() for name in names} for pair, names in windows_fields().items()}
    seen: Counter[tuple[str, str]] = Counter()
    strange = set()
    with lzma.open(corpus / "detection/hayabusa-sample-evtx.24661.jsonl.xz") as lines:
        for line in islice(lines, 0, None, 3):
            fields = flatten_event(orjson.loads(line)["Event"])
            pair = str(fields.get("System.Channel")), str(fields.get("System.EventID"))
            names = known.get(pair)
            if names is not None:
                seen[pair] += 1
                strange |= {(pair, name) for name in fields if name.lower() not in names}
    print(f"{seen.total()} events of {len(seen)} kinds, {len(known)} are catalogued")
    assert strange == set()
    assert len(seen) > 15


@pytest.mark.parametrize(
    ("node", "fires"),
    [
        (Not(Or((Absent("x"), Present("source.ip")))), False),
        (Not(And((Absent("x"), Present("source.ip")))), True),
        (Not(Not(Absent("x"))), True),
        (Not(Not(equals("x", "1"))), False),
        (And((Not(Absent("source.ip")), Absent("x"))), True),
    ],
)
def test_negations_are_judged_for_events_without_the_unknown_field(
    node: Node, *, fires: bool
) -> None:
    rules = compiled(
        "title: t\nlogsource: {product: linux, service: sshd}\n"
        "detection: {s: {x: 1}, condition: s}\n"
    )
    rule = rules.rules[0]
    changed = type(rule)(rule.header, node)
    (found,) = lint_rule(changed, logsource_table()[0], known_fields(), windows_fields())
    assert found.fatal is not fires


def test_an_explanation_shows_what_decided_and_what_was_seen() -> None:
    tree = And(
        (
            Or((equals("System.Channel", "security"), equals("System.Channel", "other"))),
            Or((And((equals("A", "1"), equals("B", "9"))), Text("New Value", "contains", "x"))),
            Not(equals("A", "2")),
            Not(And((Absent("A"),))),
            Text(KEYWORDS, "contains", "1"),
        )
    )
    fields: Mapping[str, Value] = {
        "System.Channel": "Security",
        "A": ("1", "3"),
        "New Value": "axb",
    }
    assert Explainer(tree).explain(fields, b"{}") == (
        Reason("Channel", "= security", "Security"),
        Reason("New Value", "contains x", "axb"),
        Reason("keywords", "contains 1", "1\n3\naxb"),
    )
    assert Explainer(Absent("Z")).explain({}, b"x") == (Reason("Z", "absent", ""),)


@pytest.mark.parametrize(
    ("atom", "text"),
    [
        (Pattern("F", ("a", Gap.RUN, "b", Gap.ONE)), "like a*b?"),
        (Reference("F", "G", "contains"), "contains field G"),
        (Present("F"), "present"),
        (Regex("F", "a+"), "matches a+"),
        (Network("F", "10.0.0.0/8"), "in 10.0.0.0/8"),
        (Number("F", "lte", "5"), "≤ 5"),
        (TimePart("F", "hour", "gte", 8), "hour ≥ 8"),
    ],
)
def test_every_question_has_words(atom: Regex, text: str) -> None:
    assert expected(atom) == text


def test_subjects_have_one_name_whatever_the_source_calls_them() -> None:
    windows: Mapping[str, Value] = {
        "TargetUserName": "-",
        "SubjectUserName": "eve",
        "IpAddress": ("10.0.0.9", "10.0.0.10"),
        "System.Computer": "dc1",
    }
    # the first name with a value decides; a dash is nobody
    assert subjects_of(windows) == {"user.name": "eve", "source.ip": "10.0.0.9", "host.name": "dc1"}
    linux: Mapping[str, Value] = {"user.name": "eve", "source.ip": "10.0.0.8", "host.name": "dc1"}
    assert common_subjects([windows, linux]) == {"user.name": "eve", "host.name": "dc1"}
    assert common_subjects([]) == {}
    assert risk_subjects(
        {"user.id": "acc_1", "user.name": "eve", "source.ip": "x", "session.id": "s"}
    ) == (
        "account:acc_1",
        "address:x",
        "session:s",
    )
    assert risk_subjects({}) == ()


CORRELATED = """title: many
correlation: {type: event_count, rules: [one], group-by: [a, b], timespan: 1m, condition: {gte: 2}}
---
title: one
name: one
logsource: {product: windows}
detection: {s: {x: 1}, condition: s}
"""


def event(number: int, fields: Mapping[str, Value]) -> LogEvent:
    return LogEvent(f"e{number}", "s", number, number, fields, b"{}")


def test_an_event_counts_for_each_element_of_a_list_and_for_none_without_the_field() -> None:
    (detector,), problems = detectors_of(compiled(CORRELATED))
    assert problems == ()
    base: Mapping[str, Value] = {"System.Channel": "c", "x": "1"}
    events = [
        event(1, {**base, "a": ("U", "v", "u"), "b": "1"}),
        event(2, {**base, "a": "u"}),
        event(3, {"a": "u", "b": "1"}),
    ]
    findings, failures = Plan([detector]).find(batch_of(events))
    assert failures == []
    assert [finding.row for finding in findings] == [0, 1]
    assert detector.correlation is not None
    grouper = Grouper(detector.correlation)
    found = [grouper.matches_of(hit) for hit in hits_of(batch_of(events), findings)]
    assert [[match.group for match in matches] for matches, _ in found] == [
        [("u", "1"), ("v", "1")],
        [],
    ]
    assert [uncounted for _, uncounted in found] == [Uncounted(), Uncounted(ungrouped=1)]


def test_a_correlation_that_refers_to_nothing_is_named_and_generate_lets_rules_speak() -> None:
    detectors, problems = detectors_of(compiled(CORRELATED.replace("rules: [one]", "rules: [two]")))
    assert [d.header.title for d in detectors] == ["one"]
    assert "two" in problems[0].what
    loud = CORRELATED.replace("timespan", "generate: true, timespan")
    detectors, _ = detectors_of(compiled(loud))
    assert [d.header.title for d in detectors] == ["one", "many"]


def test_a_correlation_survives_the_cache() -> None:
    rules = compiled(CORRELATED.replace("timespan", "aliases: {a: {one: c}}, timespan"))
    again = decode_rules(orjson.loads(orjson.dumps(encode_rules(rules))), "r.yml")
    assert again == rules


def test_what_pysigma_knows_and_we_do_not_is_refused() -> None:
    with pytest.raises(Unsupported, match="SigmaQueryExpression"):
        value_node("F", SigmaQueryExpression("{field} in list", "id"))
    with pytest.raises(Unsupported, match="empty"):
        conditions._node(None, {})


def test_the_mark_of_utf16_joins_its_text() -> None:
    item = SigmaDetectionItem.from_mapping("F|utf16", "ab")
    assert value_node("F", item.value[0]) == equals("F", "\ufeffa\x00b\x00")


def test_an_explanation_follows_the_branch_that_holds() -> None:
    inner = Or(
        (And((equals("A", "1"), Not(equals("B", "2")))), And((equals("A", "9"), equals("B", "3"))))
    )
    tree = Or((And((inner, equals("C", "7"))), Or((Not(equals("C", "7")), equals("A", "0")))))
    assert Explainer(tree).explain({"A": "9", "B": "3", "C": "7"}, b"{}") == (
        Reason("A", "= 9", "9"),
        Reason("B", "= 3", "3"),
        Reason("C", "= 7", "7"),
    )


def test_a_mapped_address_is_its_ipv4_address_and_words_are_none() -> None:
    inside = predicate(Network("F", "10.1.0.0/16"))
    assert [inside(text) for text in ("::ffff:10.1.2.3", "10.1.2.3", "::1", "word")] == [
        True,
        True,
        False,
        False,
    ]
    for comparison, answers in (
        ("lt", (True, False, False)),
        ("lte", (True, True, False)),
        ("gt", (False, False, True)),
        ("gte", (False, True, True)),
        ("eq", (False, True, False)),
    ):
        asks = predicate(Number("F", comparison, "5"))  # type: ignore[arg-type]
        assert tuple(asks(text) for text in ("4", "5.0", "6")) == answers
