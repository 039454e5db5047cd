"""Questions that need more than a literal: predicates over one raw value each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from detectors.core.events.numbers import decimal
from detectors.core.events.text import fold
from detectors.core.sigma.regex import searcher
from detectors.core.sigma.tree import (
    Comparison,
    Gap,
    Network,
    Number,
    Pattern,
    Regex,
    Text,
    TimePart,
    TimeUnit,
)

Predicate = Callable[[str], bool]
Question = Pattern | Regex | Network | Number | TimePart | Text

_MAX_TIME: Final = 64
_MAX_ADDRESS: Final = 64
_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def predicate(question: Question) -> Predicate:
    """Return the predicate of ``question`` over the raw text of one value."""
    if isinstance(question, Pattern):
        matches = wildcard(question.parts)
        return matches if question.cased else lambda text: matches(fold(text))
    if isinstance(question, Text):
        return _cased(question)
    if isinstance(question, Regex):
        return searcher(question.pattern)
    if isinstance(question, Network):
        return _network(question.cidr)
    if isinstance(question, Number):
        return _number(question.comparison, Decimal(question.bound))
    return _time_part(question.unit, question.comparison, question.bound)


def wildcard(parts: tuple[str | Gap, ...]) -> Predicate:
    """Return "the whole text fits ``parts``", in time linear in text and pattern.

    Between two ``*`` the leftmost place is as good as any other (no back-tracking).
    """
    segments: list[list[str | Gap]] = [[]]
    for part in parts:
        if part is Gap.RUN:
            segments.append([])
        else:
            segments[-1].append(part)
    head, *middle = [_segment(segment) for segment in segments]
    if not middle:
        return lambda text: head.fullmatch(text) is not None
    tail = re.compile(f"(?:{middle.pop().pattern})\\Z", re.DOTALL)
    tail_length = sum(len(p) if isinstance(p, str) else 1 for p in segments[-1])

    def fits(text: str) -> bool:
        found = head.match(text)
        for segment in middle:
            if found is None:
                return False
            found = segment.search(text, found.end())
        start = len(text) - tail_length
        return found is not None and start >= found.end() and tail.match(text, start) is not None

    return fits


def _segment(parts: list[str | Gap]) -> re.Pattern[str]:
    escaped = (re.escape(part) if isinstance(part, str) else "." for part in parts)
    return re.compile("".join(escaped), re.DOTALL)


def _cased(question: Text) -> Predicate:
    literal = question.literal
    if question.operation == "contains":
        return lambda text: literal in text
    if question.operation == "startswith":
        return lambda text: text.startswith(literal)
    if question.operation == "endswith":
        return lambda text: text.endswith(literal)
    return lambda text: text == literal


def address(text: str) -> IPv4Address | IPv6Address | None:
    """Return ``text`` as an address, an IPv4-mapped one as IPv4; None if it is none."""
    if len(text) > _MAX_ADDRESS:
        return None
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _as_ipv4(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return a network of IPv4-mapped addresses as the IPv4 network that it is."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        address = int(network.network_address) & 0xFFFFFFFF
        return IPv4Network((address, network.prefixlen - _MAPPED.prefixlen))
    return network


def _network(cidr: str) -> Predicate:
    network = _as_ipv4(ip_network(cidr))

    def inside(text: str) -> bool:
        found = address(text)
        return found is not None and found in network

    return inside


def _number(comparison: Comparison, bound: Decimal) -> Predicate:
    def compares(text: str) -> bool:
        found = decimal(text)
        return found is not None and _compare(found, comparison, bound)

    return compares


def _compare(left: Decimal | int, comparison: Comparison, right: Decimal | int) -> bool:
    if comparison == "lt":
        return left < right
    if comparison == "lte":
        return left <= right
    if comparison == "gt":
        return left > right
    if comparison == "gte":
        return left >= right
    return left == right


def time_part(text: str, unit: TimeUnit) -> int | None:
    """Return a part of an ISO 8601 ``text`` at its written offset; None if it is no time."""
    if len(text) > _MAX_TIME:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if unit == "week":
        return moment.isocalendar().week
    part: int = getattr(moment, unit)
    return part


def _time_part(unit: TimeUnit, comparison: Comparison, bound: int) -> Predicate:
    def compares(text: str) -> bool:
        found = time_part(text, unit)
        return found is not None and _compare(found, comparison, bound)

    return compares
