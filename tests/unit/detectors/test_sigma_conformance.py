"""Every modifier, keyword, selector and empty value: what matches, what doesn't, what is nasty.

Each row is a detection and events that must and must not match, as sigma-specification 2.1.0
(modifiers, rules) says, or as docs/manual/sigma_agreement.md says where it is silent. Each is
asked of the engine and of the slow matcher, so that both must agree with the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import TableBuilder, keyword_text
from detectors.core.sigma.parser import parse_file
from detectors.core.sigma.tree import Node
from detectors.models.rules import RuleFile
from detectors.service.rules.rule_files import compile_rules, logsource_table
from secops.kernel.logs import Value
from tests.fakes.sigma_matcher import holds

Event = Mapping[str, Value]


@dataclass(frozen=True)
class Case:
    """``yes`` and ``no`` are values of the field F, or whole events."""

    detection: str
    yes: Sequence[Value | Event]
    no: Sequence[Value | Event]


def case(detection: str, yes: Sequence[Value | Event], no: Sequence[Value | Event]) -> Case:
    return Case(detection, yes, no)


NONE: Event = {"other": "x"}

CASES = (
    # whole value, case-insensitive, Unicode
    case("F: abc", ["abc", "ABC", "aBc", ("x", "ABC")], ["abcd", "xabc", "", NONE, ("a", "b")]),
    case("F: straße", ["STRASSE", "strasse", "Straße"], ["strase"]),
    case("F: 'é'", ["é", "É", "e\u0301"], ["e"]),
    case("F: 'a'", ["A"], ["a\n", " a"]),
    case("F: '据'", ["据"], ["据据"]),
    case('F: "x\\ny"', ["x\r\ny", "X\nY"], ["x\ry", "xy"]),
    # wildcards and backslashes
    case("F: 'a*c'", ["ac", "abbbc", "a\nc", "A*C"], ["acd", "bac"]),
    case("F: 'a?c'", ["abc", "a\nc", "a?c"], ["ac", "abbc"]),
    case(r"F: 'a\*c'", ["a*c"], ["abc", r"a\*c"]),
    case(r"F: 'a\?c'", ["a?c"], ["abc"]),
    case(r"F: 'a\b'", [r"a\b"], ["ab", r"a\\b"]),
    case(r"F: 'a\\b'", [r"a\b"], [r"a\\b"]),
    case(r"F: 'a\\*'", ["a\\", r"a\b"], ["a*", "ab"]),
    case(r"F: 'a\\\*'", [r"a\*"], [r"a\x"]),
    case(r"F: 'a\\\\b'", [r"a\\b"], [r"a\b"]),
    case("F: 'a\\'", ["a\\"], ["a", "a\\\\"]),
    case("F: '*'", ["", "x", ("a", "b")], [NONE]),
    case("F: '?'", ["x", "据"], ["", "xx", NONE]),
    # contains, startswith, endswith
    case("F|contains: ell", ["Hello", "ELL", ("x", "bell")], ["el l", "", NONE]),
    case("F|contains: 'e*o'", ["hello", "eo", "xe\noy"], ["ohe", NONE]),
    case("F|contains: ''", ["", "x"], [NONE]),
    case("F|contains: '*'", ["", "x"], [NONE]),
    case(r"F|contains: '\*'", ["a*b"], ["ab"]),
    case("F|contains: '5'", ["x5y", "5"], ["4"]),
    case("F|startswith: ab", ["ABc", "ab"], ["cab", "a", NONE]),
    case("F|startswith: 'a*b'", ["axxbxx", "ab"], ["xab", "axx"]),
    case(r"F|startswith: '\\*'", ["\\x"], ["x"]),
    case("F|endswith: yz", ["xYZ", "yz"], ["yzx", NONE]),
    case("F|endswith: 'a*b'", ["axxb", "xxab"], ["abx"]),
    case('F|endswith: "\\n"', ["a\r\n", "\n"], ["\na"]),
    case(r"F|endswith: '\cmd.exe'", [r"C:\CMD.EXE"], ["cmd.exe", r"\cmd.exe "]),
    # lists, all, any
    case("F: [a, b]", ["a", "B", ("x", "b")], ["c", NONE]),
    case("F|contains|all: [a, b]", ["xaxb", "ba", ("a", "b")], ["a", "b", NONE]),
    case("F|all: [a, b]", [("a", "b")], ["a", "ab"]),
    case("F|all: a", ["A"], ["b"]),
    case("F|any: [a, b]", ["a", "b"], ["c"]),
    case("F|contains|any: [a, b]", ["xa"], ["x"]),
    case("F|startswith|all: [a, ab]", ["abc"], ["acb"]),
    # cased
    case("F|cased: aB", ["aB"], ["ab", "AB", NONE]),
    case("F|cased|contains: aB", ["xaBx"], ["xabx"]),
    case("F|contains|cased: aB", ["xaBx"], ["xabx"]),
    case("F|cased: 'a*B'", ["axB"], ["axb"]),
    case("F|cased: 'é'", ["é"], ["É", "e\u0301"]),
    case('F|endswith|cased: "\\n"', ["x\r\n"], ["x"]),
    case('F|cased|startswith: "a\\r\\n"', ["a\r\nb"], ["a\nb"]),
    # regular expressions
    case("F|re: 'b+c'", ["abbc", ("x", "bc")], ["BC", "b", NONE]),
    case("F|re|i: 'B+c'", ["abBC"], ["c"]),
    case("F|re: '^a.c$'", ["abc"], ["a\nc", "abc\n", "xabc"]),
    case("F|re|s: '^a.c$'", ["a\nc"], ["a\n\nc"]),
    case("F|re|m: '^b$'", ["a\nb\nc", "b"], ["ab"]),
    case("F|re|i|m|s: '^B.C$'", ["a\nb\nc"], ["ab\nc d"]),
    case("F|re: ''", ["", "x"], [NONE]),
    case(r"F|re: '\d'", ["7"], ["\u0667", "x"]),
    case("F|re|contains: 'a|b'", ["xb"], ["c"]),
    case("F|re|startswith: 'a+'", ["xaa", "a"], ["x"]),
    case("F|re: ['a{2}', 'b{2}']", ["aa", "bb"], ["ab"]),
    case("F|re|all: ['a', 'b']", ["ba"], ["a"]),
    case("F|re|neq: 'a'", ["b", NONE], ["ab"]),
    case("F|re: 'İ'", ["İ"], ["i"]),
    # addresses
    case("F|cidr: 10.0.0.0/8", ["10.1.2.3", "::ffff:10.1.2.3", ("x", "10.0.0.0")], ["11.0.0.1"]),
    case("F|cidr: 10.0.0.0/8", ["10.255.255.255"], ["10.1.2", "10.1.2.3/32", "", "-", NONE]),
    case("F|cidr: '2001:db8::/32'", ["2001:DB8::1"], ["2001:db9::1", "10.0.0.1"]),
    case("F|cidr: '::ffff:10.0.0.0/104'", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.1.2.3"]),
    case("F|cidr: ['10.0.0.0/8', '::1/128']", ["10.0.0.1", "::1"], ["::2"]),
    case("F|cidr|neq: 10.0.0.0/8", ["11.0.0.1", "x", NONE], ["10.0.0.1"]),
    case("F|cidr: 0.0.0.0/0", ["8.8.8.8"], ["::1", "1", "1.2.3.4.5"]),
    # encodings
    case("F|base64: foo", ["Zm9v"], ["foo", "Zm9vYg=="]),
    case("F|base64|contains: foo", ["xZm9vx"], ["foo"]),
    case(
        "F|base64offset|contains: foo bar",
        ["..Zm9vIGJhcg", "xZvbyBiYXo", "mb28gYmFyCg=="],
        ["Zm9v"],
    ),
    case("F|utf16le|base64offset|contains: ab", ["--YQBiAGM", "xEAYgx", "hAGIAx"], ["YWI="]),
    case("F|wide|base64offset|contains: ab", ["--YQBiAGM"], ["YWI="]),
    case("F|utf16be|base64: ab", ["AGEAYg=="], ["YQBiAA=="]),
    case("F|utf16|base64: ab", ["//5hAGIA"], ["YQBiAA=="]),
    case("F|wide: ab", ["a\x00b\x00"], ["ab"]),
    case("F|utf16le: ab", ["a\x00b\x00"], ["ab"]),
    # dashes
    case(
        "F|windash|contains: ' -enc'",
        ["x -enc y", "x /ENC y", "x –enc", "x —enc", "x ―enc"],
        ["x enc", "x-enc", NONE],
    ),
    case("F|windash|contains: a-b", ["a-b"], ["a/b"]),
    case("F|windash|contains: '- x'", ["- x"], ["/ x"]),
    case("F|windash|contains|all: [' -a', ' /b']", ["c /a -b", "c –a ―b"], ["c -a"]),
    case("F|windash|endswith: ' --x'", ["a --x", "a -/x"], ["a /x y", "--x y"]),
    # presence
    case("F|exists: true", ["", "x", "-", ("a", "b")], [NONE]),
    case("F|exists: false", [NONE, {"f": "x"}], ["", "x"]),
    case("F: null", [NONE], ["", "x", "null"]),
    case("F: []", [NONE], ["", "x"]),
    case("F: ''", ["", ("", "x")], [NONE, " "]),
    case("F: ['', null]", ["", NONE], ["x"]),
    case("F: '-'", ["-"], ["", NONE]),
    # other fields
    case(
        "F|fieldref: G",
        [{"F": "AbC", "G": "aBc"}, {"F": ("x", "y"), "G": ("z", "Y")}, {"F": "", "G": ""}],
        [{"F": "a", "G": "b"}, {"F": "a"}, {"G": "a"}, {}],
    ),
    case("F|fieldref|contains: G", [{"F": "xaBc", "G": "Ab"}], [{"F": "a", "G": "ab"}]),
    case("F|fieldref|startswith: G", [{"F": "abc", "G": "AB"}], [{"F": "xab", "G": "ab"}]),
    case("F|fieldref|endswith: G", [{"F": "xab", "G": "AB"}], [{"F": "abx", "G": "ab"}]),
    case("F|fieldref|neq: G", [{"F": "a", "G": "b"}, {"F": "a"}], [{"F": "a", "G": "A"}]),
    # comparisons
    case("F|gt: 5", ["6", "5.1", "100", ("x", "7")], ["5", "4", "", "x", "0x10", "1e3", NONE]),
    case("F|gte: 5", ["5", "5.0", "+5"], ["4.99", "5 "]),
    case("F|lt: 0", ["-1", "-0.5"], ["0", "1", "-", NONE]),
    case("F|lte: 1.5", ["1.5", "-3"], ["1.51"]),
    case("F|gt: 9007199254740992", ["9007199254740993"], ["9007199254740992"]),
    case("F|lt: 5", ["4"], ["\u0664", "4" * 65]),
    case("F|neq: a", ["b", "", NONE, ("b", "c")], ["a", "A", ("b", "a")]),
    case("F|neq: [a, b]", ["c", NONE], ["a", "b"]),
    case("F|contains|neq: a", ["b", NONE], ["bab"]),
    case("F|lt|neq: 5", ["5", "x", NONE], ["4"]),
    # parts of times, at the written offset
    case("F|minute: 59", ["2026-11-22T23:59:01Z"], ["2026-11-22T23:58:59Z", "59", NONE]),
    case(
        "F|hour|gte: 22",
        ["2026-11-22T23:59:01+08:00", "2026-11-22 22:00:00"],
        ["2026-11-22T21:59:59Z"],
    ),
    case("F|hour: [0, 1]", ["2026-11-22T00:00:00Z"], ["2026-11-22T02:00:00Z"]),
    case("F|day: 29", ["2024-02-29T00:00:00Z"], ["2024-02-28T23:59:59Z", "2025-02-29T00:00:00Z"]),
    case("F|week: 53", ["2026-12-31T12:00:00Z", "2027-01-01T00:00:00Z"], ["2027-01-04T00:00:00Z"]),
    case("F|month|lt: 2", ["2026-01-31T00:00:00Z"], ["2026-02-01T00:00:00Z"]),
    case("F|year: 2026", ["2026-01-01T00:00:00Z"], ["2027-01-01T00:00:00Z", "2026"]),
    case("F|year|neq: 2026", ["2027-01-01T00:00:00Z", NONE, "x"], ["2026-01-01T00:00:00Z"]),
    # numbers and booleans are text
    case("F: 5", ["5"], ["5.0", "05", "0x5"]),
    case("F: 5.0", ["5"], ["5.0"]),
    case("F: true", ["true", "True"], ["1", "yes", NONE]),
    case("F: false", ["false"], ["0", NONE]),
    case("F: 0x10", ["16"], ["0x10"]),
    case("F: '0x10'", ["0X10"], ["16"]),
    # names
    case("NewValue: x", [{"New Value": "X"}, {"NewValue": "x"}], [{"newvalue": "x"}]),
    case("EventID: 1", [{"System.EventID": "1"}], [{"EventID": "2", "System.EventID": "1"}]),
    case("Data: b", [{"Data": ("a", "B")}], [{"Data": ("a", "c")}]),
    case("processId: 1", [{"processId": "1"}], [{"ProcessId": "1"}]),
    case("'a.b': x", [{"a.b": "x"}], [{"a": "x"}]),
)


def text_of(detection: str, source: str = "{product: x}", condition: str = "sel") -> bytes:
    lines = ["title: t", f"logsource: {source}", "detection:", "  sel:", f"    {detection}"]
    return "\n".join([*lines, f"  condition: {condition}", ""]).encode()


def tree_of(detection: str) -> Node:
    parsed = parse_file(RuleFile("r.yml", text_of(detection)))
    assert parsed.problems == ()
    return parsed.rules[0].tree


def matched(tree: Node, events: Sequence[Event], raws: Sequence[bytes] | None = None) -> list[bool]:
    """Ask the engine, and the slow matcher, which must say the same."""
    lines = raws or [b"{}"] * len(events)
    program = Program([tree])
    found = evaluate(program, TableBuilder(program.names).build(events, lines))
    rows = set(found[0].tolist()) if found else set()
    texts = [keyword_text(event, line) for event, line in zip(events, lines, strict=True)]
    slow = {n for n, event in enumerate(events) if holds(tree, event, texts[n])}
    assert rows == slow
    return [n in rows for n in range(len(events))]


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.detection)
def test_a_modifier_matches_what_the_specification_says_and_nothing_else(row: Case) -> None:
    tree = tree_of(row.detection)
    events = [e if isinstance(e, Mapping) else {"F": e} for e in (*row.yes, *row.no)]
    wanted = [True] * len(row.yes) + [False] * len(row.no)
    assert matched(tree, events) == wanted
    assert [matched(tree, [event])[0] for event in events] == wanted


LINE = rb"Nov 22 10:00:00 web app: C:\Temp opened by Ann"

KEYWORDS = (
    ("- opened", True),
    ("- OPENED by", True),
    ("- opened*ann", True),
    ("- closed", False),
    ("- 'c:\\temp'", True),
    ("- [closed, opened]", True),
    ("'|all': [opened, ann]", True),
    ("'|all': [opened, bob]", False),
    ("'|re': 'by [A-Z]nn$'", True),
    ("'|re': 'by [a-z]nn$'", False),
    ("'|cased': [Ann]", True),
    ("'|cased': [ann]", False),
    ("'|contains': [opened]", True),
    ("- ''", True),
    ("- 22", True),
)


@pytest.mark.parametrize(("keywords", "wanted"), KEYWORDS)
def test_keywords_are_looked_for_in_the_raw_line(
    keywords: str,
    wanted: bool,  # noqa: FBT001 - a column of the table
) -> None:
    text = (
        f"title: t\nlogsource: {{product: x}}\ndetection:\n  k:\n    {keywords}\n  condition: k\n"
    )
    parsed = parse_file(RuleFile("r.yml", text.encode()))
    assert parsed.problems == ()
    assert matched(parsed.rules[0].tree, [{"user.name": "x"}], [LINE]) == [wanted]


def test_keywords_of_a_structured_event_are_looked_for_in_its_payload_values_only() -> None:
    event: Event = {"System.Channel": "Security", "A": "first", "B": ("two", "three")}
    assert matched(tree_of("- FIRST"), [event]) == [True]
    assert matched(tree_of("- three"), [event]) == [True]
    assert matched(tree_of("- security"), [event]) == [False]
    assert matched(tree_of("- 'A'"), [{"System.Channel": "x", "Axe": "q"}]) == [False]


SELECTORS = (
    ("sel", [True, False, False]),
    ("not sel", [False, True, True]),
    ("sel or other", [True, True, False]),
    ("sel and other", [False, False, False]),
    ("not sel and not other", [False, False, True]),
    ("not (sel or other)", [False, False, True]),
    ("1 of them", [True, True, False]),
    ("any of them", [True, True, False]),
    ("all of them", [False, False, False]),
    ("1 of o*", [False, True, False]),
    ("all of s*", [True, False, False]),
    ("1 of _*", [False, False, True]),
    ("sel or _hidden", [True, False, True]),
    ("[sel, _hidden]", [True, False, True]),
    ("not 1 of them", [False, False, True]),
    ("sel or other and _hidden", [True, False, False]),
    ("not not sel", [True, False, False]),
)


@pytest.mark.parametrize(("condition", "wanted"), SELECTORS)
def test_conditions_choose_among_the_selections(condition: str, wanted: list[bool]) -> None:
    text = (
        "title: t\nlogsource: {product: x}\ndetection:\n"
        "  sel: {F: a}\n  other: {F: b}\n  _hidden: {F: c}\n"
        f"  condition: {condition}\n"
    )
    parsed = parse_file(RuleFile("r.yml", text.encode()))
    assert parsed.problems == ()
    assert matched(parsed.rules[0].tree, [{"F": "a"}, {"F": "b"}, {"F": "c"}]) == wanted


REFUSED = (
    "F|nonsense: a",
    "F|contains: 5",
    "F|any|all: [a, b]",
    "F|base64: 'a*'",
    "F|base64offset|contains: a",
    "F|cidr: 10.0.0.1/8",
    "F|cidr: x",
    "F|re: '(?<=a)b'",
    "F|re: '(a)\\1'",
    "F|re: 'a++'",
    "F|re: '['",
    "F|lt: x",
    "F|exists: x",
    "F|gte|hour: 8",
    "F|windash: ' -a -b -c -d'",
    "F|utf16: 'é'",
    "F|expand: '%nobody%'",
    "F|contains|expand: 'x%nobody%'",
)


@pytest.mark.parametrize("detection", REFUSED)
def test_what_has_no_meaning_is_refused_with_its_line_and_never_dropped(detection: str) -> None:
    parsed = parse_file(RuleFile("r.yml", text_of(detection)))
    assert parsed.rules == ()
    (problem,) = parsed.problems
    assert problem.line == 5
    assert problem.what


LISTS = b"placeholders:\n  admins: [root, 'adm*', '\\*']\n  ports: [22, 2222]\n"


def rules_with(detection: str, lists: bytes | None = LISTS) -> tuple[list[Node], list[str]]:
    files = [RuleFile("rules/r.yml", text_of(detection))]
    if lists is not None:
        files.append(RuleFile("rules/placeholders.yml", lists))
    rules = compile_rules(files)
    return [rule.tree for rule in rules.rules], [str(problem) for problem in rules.problems]


@pytest.mark.parametrize(
    ("detection", "yes", "no"),
    [
        ("F|expand: '%admins%'", ["ROOT", "admin", "*"], ["user", "x", "%admins%"]),
        ("F|contains|expand: 'is %admins%!'", ["he is root!", "is admin!"], ["is root", "is x!"]),
        ("F|expand: ['%admins%', other]", ["root", "other"], ["x"]),
        ("F|expand: '%admins%:%ports%'", ["root:22", "adm:2222", "*:22"], ["root:23", "root"]),
        ("F: '%admins%'", ["%admins%"], ["root"]),
    ],
)
def test_placeholders_stand_for_the_values_of_a_list(
    detection: str, yes: list[str], no: list[str]
) -> None:
    trees, problems = rules_with(detection)
    assert problems == []
    events = [{"F": text, "event.dataset": "x"} for text in (*yes, *no)]
    assert matched(trees[0], events) == [True] * len(yes) + [False] * len(no)


def test_a_rule_with_an_unknown_or_empty_list_is_refused_by_name() -> None:
    for lists in (None, b"placeholders: {admins: []}\n", b"placeholders: {others: [a]}\n"):
        trees, (problem,) = rules_with("F|expand: '%admins%'", lists)
        assert trees == []
        assert "%admins%" in problem
    many = b"placeholders: {a: [" + b"x," * 200 + b"]}\n"
    trees, (problem,) = rules_with("F|expand: '%a%%b%'", many + b"")
    assert trees == []


@pytest.mark.parametrize(
    "lists",
    [
        b"other: {}\n",
        b"placeholders: []\n",
        b"placeholders: {a: x}\n",
        b"placeholders: {a: [[]]}\n",
    ],
)
def test_a_file_of_lists_that_is_none_is_named(lists: bytes) -> None:
    trees, problems = rules_with("F: a", lists)
    assert len(trees) == 1
    assert problems[0].startswith("rules/placeholders.yml:1:")


def test_values_that_multiply_without_end_are_refused() -> None:
    lists = b"placeholders: {a: [" + b"x," * 200 + b"], b: [" + b"y," * 200 + b"]}\n"
    trees, (problem,) = rules_with("F|expand: '%a%%b%'", lists)
    assert trees == []
    assert "10000" in problem


def compiled_for(source: str, detection: str) -> Node:
    rules = compile_rules([RuleFile("r.yml", text_of(detection, source))])
    assert rules.problems == ()
    return rules.rules[0].tree


PROCESS: Event = {
    "System.Channel": "Security",
    "System.EventID": "4688",
    "NewProcessName": r"C:\Windows\System32\cmd.exe",
    "ParentProcessName": r"C:\a\word.exe",
    "SubjectDomainName": "NT AUTHORITY",
    "SubjectUserName": "SYSTEM",
    "NewProcessId": "0xe74",
    "MandatoryLabel": "S-1-16-16384",
}
REGISTRY: Event = {
    "System.Channel": "Security",
    "System.EventID": "4657",
    "OperationType": "%%1905",
    "ProcessName": r"C:\Windows\regedit.exe",
    "ObjectName": r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\x",
    "ObjectValueName": "Start",
    "NewValue": "4",
    "NewValueType": "%%1876",
}
USERS: Event = {**REGISTRY, "ObjectName": r"\REGISTRY\USER\S-1-5-21-1\Software", "NewValue": "0x10"}
CREATION = "{product: windows, category: process_creation}"
SETTING = "{product: windows, category: registry_set}"

MAPPED = (
    (CREATION, r"Image|endswith: '\cmd.exe'", [PROCESS], [REGISTRY]),
    (CREATION, r"User: 'NT AUTHORITY\SYSTEM'", [PROCESS], [{**PROCESS, "SubjectUserName": "x"}]),
    (CREATION, "User|contains: AUTHORI", [PROCESS], [REGISTRY]),
    (CREATION, "ProcessId: 3700", [PROCESS], [REGISTRY]),
    (CREATION, "IntegrityLevel: System", [PROCESS], [{**PROCESS, "MandatoryLabel": "S-1-16-8192"}]),
    (CREATION, "OriginalFileName: null", [PROCESS], [{**PROCESS, "OriginalFileName": "x"}]),
    (
        SETTING,
        r"TargetObject: 'HKLM\System\CurrentControlSet\Services\x\Start'",
        [REGISTRY],
        [USERS],
    ),
    (SETTING, r"TargetObject|startswith: 'HKU\S-1-5-21'", [USERS], [REGISTRY]),
    (SETTING, "Details: DWORD (0x00000004)", [REGISTRY], [{**REGISTRY, "NewValueType": "%%1873"}]),
    (SETTING, "Details: DWORD (0x00000010)", [USERS], [REGISTRY]),
    (
        SETTING,
        "Details: QWORD (0x00000000-0x00000004)",
        [{**REGISTRY, "NewValueType": "%%1883"}],
        [REGISTRY],
    ),
    (
        SETTING,
        r"Image|endswith: '\regedit.exe'",
        [REGISTRY],
        [{**REGISTRY, "OperationType": "%%1906"}],
    ),
    (
        "{product: windows, category: registry_add}",
        "TargetObject|contains: Services",
        [{**REGISTRY, "OperationType": "%%1904"}],
        [REGISTRY],
    ),
    (
        "{product: windows, category: registry_delete}",
        "TargetObject|contains: Services",
        [{**REGISTRY, "OperationType": "%%1906"}],
        [REGISTRY],
    ),
    (
        "{product: windows, category: registry_event}",
        "Image|contains: regedit",
        [REGISTRY],
        [PROCESS],
    ),
    (
        CREATION,
        "CommandLine|contains: whoami",
        [
            {
                "event.category": "process",
                "event.type": ("start", "x"),
                "host.os.type": "windows",
                "process.command_line": "WHOAMI /all",
            }
        ],
        [{"event.category": "process", "event.type": "start", "process.command_line": "whoami"}],
    ),
    (
        "{product: linux, category: process_creation}",
        "Image|endswith: /nc",
        [
            {
                "System.Channel": "Linux-Sysmon/Operational",
                "System.EventID": "1",
                "Image": "/bin/nc",
            },
            {"event.category": "process", "event.type": "start", "process.executable": "/bin/nc"},
        ],
        [{"System.Channel": "Linux-Sysmon/Operational", "System.EventID": "3", "Image": "/bin/nc"}],
    ),
    (
        "{product: windows, service: security}",
        "ProcessId: 7",
        [
            {"System.Channel": "Security", "ProcessID": "7"},
            {"System.Channel": "Security", "processId": "7"},
        ],
        [
            {"System.Channel": "Security", "PROCESSID": "7"},
            {"System.Channel": "x", "ProcessId": "7"},
        ],
    ),
    (
        "{product: windows, service: security}",
        "ProcessId: null",
        [{"System.Channel": "Security"}, {"System.Channel": "Security", "ProcessID": ""}],
        [{"System.Channel": "Security", "ProcessID": "7"}],
    ),
    (
        "{product: windows, service: security}",
        "LogonId|fieldref: TargetLogonId",
        [{"System.Channel": "Security", "LogonID": "0x1", "TargetLogonId": "0X1"}],
        [{"System.Channel": "Security", "LogonID": "0x1", "TargetLogonId": "0x2"}],
    ),
)


@pytest.mark.parametrize(("source", "detection", "yes", "no"), MAPPED)
def test_a_log_source_is_asked_under_the_names_of_every_log_that_carries_it(
    source: str, detection: str, yes: list[Event], no: list[Event]
) -> None:
    tree = compiled_for(source, detection)
    assert matched(tree, [*yes, *no]) == [True] * len(yes) + [False] * len(no)


def test_every_alias_differs_by_case_only_and_every_derived_name_is_known() -> None:
    from detectors.core.sigma.derived import derivation  # noqa: PLC0415 - only this test

    table, _ = logsource_table()
    assert sum(len(each.groups) for each in table.aliases) > 20
    mapped = [name for e in table.entries for a in e.alternatives for name in a.fields.values()]
    assert [name for name in mapped if "(" in name and derivation(name) is None] == []
