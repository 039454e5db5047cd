"""Rule files become trees exactly as the specification says, or are refused with their line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.correlation.model import Correlation
from detectors.core.sigma.documents import MAX_DOCUMENTS, MAX_FILE
from detectors.core.sigma.parser import parse_file
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
from detectors.models.rules import RuleFile
from secops.kernel.clock import MINUTE

HEAD = "title: t\nlogsource: {product: windows}\ndetection:\n"


def rule(detection: str, condition: str = "sel") -> str:
    return f"{HEAD}  sel:\n{detection}  condition: {condition}\n"


def tree(detection: str, condition: str = "sel") -> Node:
    parsed = parse_file(RuleFile("r.yml", rule(detection, condition).encode()))
    assert parsed.problems == ()
    return parsed.rules[0].tree


def one(item: str) -> Node:
    return tree(f"    {item}\n")


def problem(text: str) -> tuple[int, str]:
    (found,) = parse_file(RuleFile("r.yml", text.encode())).problems
    return found.line, found.what


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        (r"a\b", "a\\b"),
        (r"a\\b", "a\\b"),
        (r"\*", "*"),
        (r"\?", "?"),
        (r"\\*", ("\\", Gap.RUN)),
        (r"\\\*", "\\*"),
        (r"\\\\", "\\\\"),
        ("a\\", "a\\"),
        ("A*B", ("a", Gap.RUN, "b")),
        ("a?", ("a", Gap.ONE)),
        ("a**b", ("a", Gap.RUN, "b")),
    ],
)
def test_backslashes_and_wildcards_follow_the_specification(
    written: str, parts: str | tuple[str | Gap, ...]
) -> None:
    node = one(f"F: '{written}'")
    if isinstance(parts, str):
        assert node == Text("F", "equals", parts)
    elif parts[-1] is Gap.RUN:
        assert node == Text("F", "startswith", str(parts[0]))
    else:
        assert node == Pattern("F", parts)


@pytest.mark.parametrize(
    ("item", "node"),
    [
        ("F: '*'", Present("F")),
        ("F|contains: ''", Present("F")),
        ("F: ''", Text("F", "equals", "")),
        ("F: null", Absent("F")),
        ("F: []", Absent("F")),
        ("F: 5", Text("F", "equals", "5")),
        ("F: 5.0", Text("F", "equals", "5")),
        ("F: true", Text("F", "equals", "true")),
        ("F: false", Text("F", "equals", "false")),
        ("F|contains: ABC", Text("F", "contains", "abc")),
        ("F|startswith: ABC", Text("F", "startswith", "abc")),
        ("F|endswith: ABC", Text("F", "endswith", "abc")),
        ("F|endswith: a*b", Pattern("F", (Gap.RUN, "a", Gap.RUN, "b"))),
        ("F|cased: AbC", Text("F", "equals", "AbC", cased=True)),
        ("F|contains|cased: AbC", Text("F", "contains", "AbC", cased=True)),
        ("F|cased|contains: AbC", Text("F", "contains", "AbC", cased=True)),
        ("F: [a, b]", Or((Text("F", "equals", "a"), Text("F", "equals", "b")))),
        (
            "F|contains|all: [a, b]",
            And((Text("F", "contains", "a"), Text("F", "contains", "b"))),
        ),
        ("F|all: a", Text("F", "equals", "a")),
        ("F|neq: a", Not(Text("F", "equals", "a"))),
        ("F|re: 'a(b|c)'", Regex("F", "a(b|c)")),
        ("F|re|i: 'ab'", Regex("F", "(?i)ab")),
        ("F|re|i|m|s: 'ab'", Regex("F", "(?ims)ab")),
        ("F|re|contains: 'a|b'", Regex("F", ".*(?:a|b).*")),
        ("F|re|contains: '^a$'", Regex("F", "^a$")),
        ("F|cidr: 10.0.0.0/8", Network("F", "10.0.0.0/8")),
        ("F|cidr: '2001:db8::/32'", Network("F", "2001:db8::/32")),
        ("F|exists: true", Present("F")),
        ("F|exists: false", Not(Present("F"))),
        ("F|fieldref: G", Reference("F", "G")),
        ("F|fieldref|startswith: G", Reference("F", "G", "startswith")),
        ("F|fieldref|endswith: G", Reference("F", "G", "endswith")),
        ("F|fieldref|contains: G", Reference("F", "G", "contains")),
        ("F|lt: 5", Number("F", "lt", "5")),
        ("F|lte: 5", Number("F", "lte", "5")),
        ("F|gt: 1.5", Number("F", "gt", "1.5")),
        ("F|gte: 100000000000000000000", Number("F", "gte", "100000000000000000000")),
        ("F|hour: 8", TimePart("F", "hour", "eq", 8)),
        ("F|hour|gte: 8", TimePart("F", "hour", "gte", 8)),
        ("F|week|lt: 8", TimePart("F", "week", "lt", 8)),
        ("F|base64: foo", Text("F", "equals", "zm9v")),
        (
            "F|base64offset|contains: foo bar",
            Or(
                tuple(
                    Text("F", "contains", literal.lower())
                    for literal in ("Zm9vIGJhc", "ZvbyBiYX", "mb28gYmFy")
                )
            ),
        ),
        (
            "F|wide|base64offset|contains: ab",
            Or(
                tuple(
                    Text("F", "contains", literal.lower()) for literal in ("YQBiA", "EAYg", "hAGIA")
                )
            ),
        ),
        (
            "F|utf16le|base64offset|contains: ab",
            Or(
                tuple(
                    Text("F", "contains", literal.lower()) for literal in ("YQBiA", "EAYg", "hAGIA")
                )
            ),
        ),
        ("F|utf16be|base64: ab", Text("F", "equals", "agegayg==".replace("agegayg", "ageayg"))),
        ("F|utf16|base64: ab", Text("F", "equals", "//5hAGIA".lower())),
        ("F|windash: a-b", Text("F", "equals", "a-b")),
    ],
)
def test_each_modifier_means_what_the_specification_says(item: str, node: Node) -> None:
    if "utf16be" in item:
        node = Text("F", "equals", "AGEAYg==".lower())
    assert one(item) == node


def test_windash_offers_all_five_dashes_where_one_begins_a_word() -> None:
    node = one("F|windash|contains: ' -x'")
    assert isinstance(node, Or)
    literals = {child.literal for child in node.children if isinstance(child, Text)}
    assert literals == {" -x", " /x", " –x", " —x", " ―x"}


def test_maps_are_and_lists_of_maps_are_or_and_lists_of_words_are_keywords() -> None:
    both = And((Text("A", "equals", "1"), Text("B", "equals", "2")))
    assert tree("    A: 1\n    B: 2\n") == both
    assert tree("    - A: 1\n      B: 2\n    - C: 3\n") == Or((both, Text("C", "equals", "3")))
    assert tree("    - ab\n    - c*d\n    - 7\n") == Or(
        (
            Text(KEYWORDS, "contains", "ab"),
            Pattern(KEYWORDS, (Gap.RUN, "c", Gap.RUN, "d", Gap.RUN)),
            Text(KEYWORDS, "contains", "7"),
        )
    )
    assert tree("    '|all':\n      - a\n      - '*b*'\n") == And(
        (Text(KEYWORDS, "contains", "a"), Text(KEYWORDS, "contains", "b"))
    )
    assert tree("    '|re': a.b\n") == Regex(KEYWORDS, "a.b")
    assert tree("    - ''\n") == Present(KEYWORDS)


def test_conditions_bind_not_before_and_before_or() -> None:
    text = f"{HEAD}  a: {{A: 1}}\n  b1: {{B: 1}}\n  b2: {{B: 2}}\n  _c: {{C: 1}}\n"

    def of(condition: str) -> Node:
        parsed = parse_file(RuleFile("r.yml", f"{text}  condition: {condition}\n".encode()))
        assert parsed.problems == ()
        return parsed.rules[0].tree

    a, b1, b2, c = (
        Text(f, "equals", v) for f, v in (("A", "1"), ("B", "1"), ("B", "2"), ("C", "1"))
    )
    assert of("a or b1 and not b2") == Or((a, And((b1, Not(b2)))))
    assert of("(a or b1) and b2") == And((Or((a, b1)), b2))
    assert of("1 of b*") == Or((b1, b2))
    assert of("any of b*") == Or((b1, b2))
    assert of("all of b*") == And((b1, b2))
    assert of("1 of them") == Or((a, b1, b2))
    assert of("1 of _*") == c
    assert of("[a, b1]") == Or((a, b1))


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (rule("    A: 1\n    B|foo: 2\n"), 6, "Unknown modifier 'foo'"),
        (rule("    - A: 1\n    - B|cidr: 10.0.0.1/8\n"), 6, "host bits"),
        (rule("    A|expand: '%x%'\n"), 5, "placeholder %x%"),
        (rule("    A|base64offset|contains: a\n"), 5, "too short"),
        (rule("    A|base64: a*\n"), 5, "wildcards is not allowed"),
        (rule("    A|re: '(?=a)'\n"), 5, "Regular expression"),
        (rule("    A|re: 'a{1001}'\n"), 5, "Regular expression"),
        (rule("    A|gte|hour: 8\n"), 5, "incompatible"),
        (rule("    A|lt: x\n"), 5, "incompatible"),
        (rule("    A|exists: x\n"), 5, "incompatible"),
        (rule("    A|windash: ' -a -b -c -d'\n"), 5, "at most three"),
        (rule("    A: 1\n", "2 of them"), 6, "end of text"),
        (rule("    A: 1\n", "sel AND sel"), 6, "end of text"),
        (rule("    A: 1\n", "sel | count() > 3"), 6, "deprecated"),
        (rule("    A: 1\n", "1 of nothing*"), 6, "doesn't match"),
        (rule("    A: 1\n", "other"), 6, "not defined"),
        (rule("    A: 1\n", "sel near sel"), 6, "end of text"),
        ("title: t\ndetection: {sel: {A: 1}, condition: sel}\n", 1, "log source"),
        ("title: t\nlogsource: {}\ndetection: {sel: {A: 1}, condition: sel}\n", 2, "log source"),
        ("title: t\nlogsource: {product: windows}\n", 1, "detection"),
        ("title: t\nlogsource: {product: windows}\ndetection: []\n", 3, ""),
        ("logsource: {product: windows}\n", 1, "needs a title"),
        ("title: t\nlevel: terrible\n", 2, "not a level"),
        ("title: t\naction: global\n", 1, "'action'"),
        ("title: t\nfilter: {}\n", 1, "'filter'"),
        ("title: [a\n", 2, "not YAML"),
        ("title: a\ntitle: b\n", 1, "Duplicate key"),
        ("- a\n", 1, "YAML map"),
        ("", 1, "no rule"),
        ("a: &a [x,x,x]\nb: [*a]\n", 1, "needs a title"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, what: str) -> None:
    found = problem(text)
    assert what in found[1]
    assert found[0] == line


def test_files_beyond_the_limits_are_refused() -> None:
    assert "larger" in problem(" " * (MAX_FILE + 1))[1]
    assert "documents" in problem("---\na: 1\n" * (MAX_DOCUMENTS + 1))[1]
    (bad,) = parse_file(RuleFile("r.yml", b"title: \xff")).problems
    assert bad.what == "the file is not UTF-8"
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
    )
    assert "aliases" in problem(bomb)[1]
    assert (
        "deeply" in problem("a: " + "[" * 20_000)[1]
        or "not YAML" in problem("a: " + "[" * 20_000)[1]
    )


def test_the_good_documents_of_a_file_survive_the_bad_one() -> None:
    text = "---\n".join((rule("    A: 1\n"), rule("    A|foo: 1\n"), "null\n", rule("    A: 2\n")))
    parsed = parse_file(RuleFile("r.yml", text.encode()))
    assert [found.tree for found in parsed.rules] == [
        Text("A", "equals", "1"),
        Text("A", "equals", "2"),
    ]
    assert [found.line for found in parsed.problems] == [12]
    versions = {found.header.version for found in parsed.rules}
    assert len(versions) == 2


def test_a_header_keeps_what_the_rule_says_of_itself() -> None:
    text = (
        "title: T\nid: 6f0b2a5e-7d0c-4e8a-9a53-1f9f3f0f7a10\nname: n\nstatus: stable\n"
        "level: informational\n"
        "description: d\nauthor: a\ntags: [attack.t1110]\nreferences: [r]\n"
        "falsepositives: [f]\n"
        "custom: {gbt20986: NACRED, n: 5}\n"
        "logsource: {product: Windows, category: process_creation}\n"
        "detection: {sel: {A: 1}, condition: sel}\n"
    )
    (found,) = parse_file(RuleFile("dir/r.yml", text.encode())).rules
    header = found.header
    assert (header.id, header.name, header.severity, header.status) == (
        "6f0b2a5e-7d0c-4e8a-9a53-1f9f3f0f7a10",
        "n",
        "low",
        "stable",
    )
    assert (header.tags, header.references, header.falsepositives) == (
        ("attack.t1110",),
        ("r",),
        ("f",),
    )
    assert header.custom == {"gbt20986": "NACRED", "n": "5"}
    assert str(header.logsource) == "windows/process_creation/*"


CORRELATION = """title: many
name: many
correlation:
  type: event_count
  rules: [one]
  group-by: [source.ip, who]
  timespan: 5m
  aliases:
    who:
      one: user.name
  condition: {gte: 3}
"""


def correlation(text: str = CORRELATION) -> Correlation:
    parsed = parse_file(RuleFile("c.yml", text.encode()))
    assert parsed.problems == ()
    return parsed.correlations[0]


def test_a_correlation_is_read_with_its_aliases() -> None:
    found = correlation()
    assert (found.timespan, found.condition, found.generate) == (5 * MINUTE, "≥ 3", False)
    assert found.group_fields(frozenset({"one"})) == ("source.ip", "user.name")
    assert found.group_fields(frozenset({"other"})) == ("source.ip", "who")


def test_a_bad_correlation_is_refused_with_its_line() -> None:
    parsed = parse_file(RuleFile("c.yml", CORRELATION.replace("5m", "5x").encode()))
    assert "invalid" in parsed.problems[0].what
    assert parsed.problems[0].line == 3
    assert parsed.correlations == ()


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    parsed = parse_file(RuleFile("r.yml", text.encode("utf-8", "surrogatepass")))
    assert parsed.rules == ()
    assert parsed.problems


@given(
    st.text(max_size=30),
    st.sampled_from(["", "|contains", "|re", "|base64offset", "|windash", "|cidr", "|cased"]),
)
def test_no_value_makes_the_parser_raise(value: str, modifier: str) -> None:
    import orjson  # noqa: PLC0415 - quotes YAML (a superset of JSON)

    text = rule(f"    F{modifier}: {orjson.dumps(value.replace(chr(0), '')).decode()}\n")
    parsed = parse_file(RuleFile("r.yml", text.encode()))
    assert len(parsed.rules) + len(parsed.problems) == 1
