"""Anchors decided word by word on what an index keeps, and strategies of nasty rules and events."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence

from hypothesis import strategies as st

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
)
from detectors.models.shadows import Shadow
from secops.kernel.anchors import (
    AllOf,
    Anchor,
    AnyOf,
    Anything,
    Between,
    During,
    Fits,
    Has,
    Within,
)
from secops.kernel.logs import LogEvent, StoredEvent

NOON = 1_795_348_800_000_000
LONG = "a" * 20_000 + "Needle" + "b" * 20_000
TEXTS = (
    "",
    "-",
    "a",
    "A",
    "ab",
    "cmd.exe",
    "C:\\Windows\\CMD.EXE",
    "a\\b",
    "\\",
    "*",
    "?",
    "a*b",
    "a?b",
    "Ä",
    "a\u0308",
    "e",
    "e\u0301",
    "\u00e9",
    "stra\u00dfe",
    "STRASSE",
    "\u0130",
    "i",
    "\u0131",
    "\u017f",
    "s",
    "\u212a",
    "k",
    "\ufb01",
    "x\r\ny",
    "x\r\r\ny",
    "X\ny",
    "x\ry",
    "\u4e2d\u6587",
    "\U0001f600\U0001f600",
    "nul\x00nul",
    LONG,
    "\u4e2d" * 5_000,
    "5",
    "5.0",
    "-3",
    "1e5",
    "0x10",
    "9" * 60,
    "1e999",
    "10.1.2.3",
    "::ffff:10.1.2.3",
    "fe80::1",
    "[::1]",
    "2026-11-22T08:15:00Z",
)
NAMES = (
    "CommandLine",
    "Image",
    "EventID",
    "source.ip",
    "DestinationIp",
    "Odd Name",
    "OddName",
    "System.OddName",
    "System.Channel",
    "Channel",
    "unheard.of",
    "x*y",
)
STRANGE = (".x", "x.", "a..b", " ", "n\x00n", "n" * 600)
ASKED = ("CommandLine", "Image", "EventID", "source.ip", "OddName", "Channel", "unheard.of", "x*y")
LITERALS = tuple(text for text in TEXTS if text and len(text) < 100)


def _folded(texts: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(texts).map(fold).filter(bool)


ASKS = st.sampled_from(ASKED)
OPERATIONS = st.sampled_from(["equals", "contains", "startswith", "endswith"])
GAPS = st.sampled_from([Gap.RUN, Gap.ONE])
ATOMS: st.SearchStrategy[Node] = st.one_of(
    st.builds(Text, ASKS, OPERATIONS, _folded(LITERALS)),
    st.builds(Text, ASKS, st.just("equals"), st.just("")),
    st.builds(Text, ASKS, OPERATIONS, st.sampled_from(LITERALS), st.just(True)),  # noqa: FBT003
    st.builds(
        lambda name, first, gap, last: Pattern(name, (first, gap, last)),
        ASKS,
        _folded(LITERALS) | GAPS,
        GAPS,
        _folded(LITERALS) | GAPS,
    ),
    st.builds(
        lambda name, first, last: Pattern(name, (first, Gap.RUN, last), cased=True),
        ASKS,
        st.sampled_from(LITERALS),
        st.sampled_from(LITERALS),
    ),
    st.builds(
        Regex,
        ASKS,
        st.sampled_from(
            [
                "(?i)CMD",
                "cmd\\.exe$",
                "^a",
                "needle|x",
                "(?i)K",
                "(?i)s+",
                "\\d{2}",
                "(?s)x.*y",
                "e",
            ]
        ),
    ),
    st.builds(
        Network,
        ASKS,
        st.sampled_from(["10.0.0.0/8", "fe80::/10", "::ffff:10.0.0.0/104", "0.0.0.0/0", "::/0"]),
    ),
    st.builds(
        Number,
        ASKS,
        st.sampled_from(["lt", "lte", "gt", "gte", "eq"]),
        st.sampled_from(["5", "-3", "4.5", "100000", "9" * 60, "9" * 400]),
    ),
    st.builds(TimePart, ASKS, st.just("hour"), st.just("gte"), st.integers(0, 23)),
    st.builds(Present, ASKS),
    st.builds(Absent, ASKS),
    st.builds(Reference, ASKS, ASKS, OPERATIONS),
    st.builds(Text, st.just(KEYWORDS), st.just("contains"), _folded(LITERALS)),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=1, max_size=4).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=4).map(tuple)),
    ),
    max_leaves=6,
)
VALUES = st.sampled_from(TEXTS) | st.lists(st.sampled_from(TEXTS), min_size=2, max_size=4).map(
    tuple
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
ODD_FIELDS = st.dictionaries(st.sampled_from((*NAMES, *STRANGE)), VALUES, max_size=6)


def event_of(number: int, fields: dict[str, object]) -> LogEvent:
    """Return an event that nothing else is equal to."""
    identifier = hashlib.sha256(f"{number} {fields}".encode()).hexdigest()
    return LogEvent(identifier, "nasty", NOON + number, NOON, fields, b"line")  # type: ignore[arg-type]


def numbered(fields: Sequence[dict[str, object]]) -> list[StoredEvent]:
    """Return events with these fields, in this order."""
    return [StoredEvent(n + 1, event_of(n, each)) for n, each in enumerate(fields)]


def holds(anchor: Anchor, shadow: Shadow, at: int = NOON) -> bool:  # noqa: C901, PLR0911 - one a kind
    """Tell whether an index with ``shadow`` in it has to let the event through."""
    if shadow.vague:
        return True
    match anchor:
        case Anything():
            return True
        case AllOf(children):
            return all(holds(child, shadow, at) for child in children)
        case AnyOf(children):
            return any(holds(child, shadow, at) for child in children)
        case Has(key):
            return key in shadow.texts
        case Fits("event.id"):
            return True
        case Fits(key):
            return any(_fits(anchor, text) for text in shadow.texts.get(key, ()))
        case Within(key, cidr):
            return any(_inside(text, cidr) for text in shadow.texts.get(key, ()))
        case Between(key, low, high):
            if key not in shadow.numbers:
                return key in shadow.texts
            found = shadow.numbers[key]
            return any((low is None or n >= low) and (high is None or n <= high) for n in found)
        case During(low, high):
            return (low is None or at >= low) and (high is None or at <= high)
    raise AssertionError(anchor)


def _fits(anchor: Fits, text: str) -> bool:
    parts = list(anchor.parts)
    if anchor.starts and anchor.ends and len(parts) == 1:
        return text == parts[0]
    begin, end = 0, len(text)
    if anchor.starts:
        first = parts.pop(0)
        if not text.startswith(first):
            return False
        begin = len(first)
    if anchor.ends and parts:
        last = parts.pop()
        if not text.endswith(last) or end - len(last) < begin:
            return False
        end -= len(last)
    for part in parts:
        found = text.find(part, begin, end)
        if found < 0:
            return False
        begin = found + len(part)
    return True


def _inside(text: str, cidr: str) -> bool:
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return plain in ipaddress.ip_network(cidr, strict=False)
