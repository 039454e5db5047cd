"""The anchor of a search: what of the query language an index can answer."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from ipaddress import IPv6Network
from typing import Final

from detectors.core.anchors.shadow import key_of
from detectors.core.events.text import fold
from detectors.core.query.evaluate import ID, TIME
from detectors.core.query.pattern import network_of, unescaped
from secops.kernel.anchors import ANYTHING, Anchor, Between, During, Fits, Has, Within
from secops.kernel.anchors import all_of as join_all
from secops.kernel.anchors import any_of as join_any
from secops.kernel.clock import from_rfc3339
from secops.kernel.logs import And, Exists, Not, Or, Query, Range, Term

_V4: Final = 4
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_TOKEN: Final = re.compile(r"\\[\\*?]|[*?]|[^\\*?]+|\\", re.DOTALL)


def query_anchor(query: Query) -> Anchor:
    """Return an anchor that holds wherever ``query`` does."""
    if isinstance(query, And):
        return join_all(tuple(map(query_anchor, query.queries)))
    if isinstance(query, Or):
        return join_any(tuple(map(query_anchor, query.queries)))
    if isinstance(query, Exists):
        return ANYTHING if query.name in (TIME, ID) else Has(key_of(query.name))
    if isinstance(query, Range):
        return _range(query)
    return ANYTHING if isinstance(query, Not) else _term(query)


def _term(query: Term) -> Anchor:
    if query.name is None or query.name == TIME:
        return ANYTHING
    key = query.name if query.name == ID else key_of(query.name)
    literal = query.text if query.quoted else unescaped(query.text)
    if literal is None:
        return _pattern(key, query.text)
    whole = Fits(key, (fold(literal),), starts=True, ends=True)
    network = None if query.quoted else network_of(literal)
    if network is None:
        return whole
    is_plain = network.version == _V4 or not network.overlaps(_MAPPED)
    return join_any((whole, Within(key, str(network)) if is_plain else Has(key)))


def _pattern(key: str, text: str) -> Anchor:
    """Return the anchor of a pattern; ``?`` stands for anything, too."""
    tokens: list[str] = _TOKEN.findall(text)
    gaps = ("*", "?")
    parts = tuple(fold(t[1] if t[0] == "\\" and len(t) > 1 else t) for t in tokens if t not in gaps)
    if not parts:
        return ANYTHING if key == ID else Has(key)
    starts, ends = tokens[0] not in gaps, tokens[-1] not in gaps
    joined = _joined(tokens, parts)
    return Fits(key, joined, starts=starts, ends=ends)


def _joined(tokens: list[str], parts: tuple[str, ...]) -> tuple[str, ...]:
    """Put together what stands side by side: an escaped character and its neighbours."""
    joined: list[str] = []
    after_gap = True
    rest = iter(parts)
    for token in tokens:
        if token in ("*", "?"):
            after_gap = True
        elif after_gap:
            joined.append(next(rest))
            after_gap = False
        else:
            joined[-1] += next(rest)
    return tuple(joined)


def _range(query: Range) -> Anchor:
    bounds = (query.low, query.high)
    if query.name == TIME:
        low, high = (None if each is None else from_rfc3339(each) for each in bounds)
        return During(low, high)
    if query.name == ID:
        return ANYTHING
    key = key_of(query.name)
    if bounds == (None, None) or any(b is not None and _number(b) is None for b in bounds):
        return Has(key)
    lowest, highest = (None if each is None else _number(each) for each in bounds)
    return Between(key, lowest, highest)


def _number(text: str) -> float | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    found = float(number) if number.is_finite() else math.inf
    return found if math.isfinite(found) else None
