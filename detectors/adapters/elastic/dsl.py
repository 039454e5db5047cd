"""Anchors as Elasticsearch's queries, which may find more than the anchor says, never less."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from detectors.models.shadows import ADDRESSES, NUMBERS, SEARCHED
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

Dsl = dict[str, Any]
EVENT_ID: Final = "event.id"
CLAUSES: Final = 4_000
"""In one request: a node with 512 MB of heap takes 8,192."""
_SPECIAL: Final = re.compile(r"([*?\\])")
_LONGEST: Final = 2_000
_DAMAGED: Final = ("vague", "_ignored")
"""Where one of these is, something of the event is not indexed: it may match anything."""


def requests_of(anchor: Anchor) -> list[Dsl | None]:
    """Return queries that together find all events that ``anchor`` holds for.

    None stands for every event. Alternatives are dealt out over several queries where they
    are too many for one.
    """
    if isinstance(anchor, Anything):
        return [None]
    children = anchor.children if isinstance(anchor, AnyOf) else (anchor,)
    wholes, others = _terms(children)
    clauses = [*wholes, *map(dsl_of, others)]
    found: list[Dsl | None] = []
    chunk: list[Dsl] = []
    size = 0
    for clause in clauses:
        count = leaves(clause)
        if chunk and size + count > CLAUSES:
            found.append(_any(chunk))
            chunk, size = [], 0
        if count > CLAUSES:  # one alternative alone is too much: ask for everything
            return [None]
        chunk.append(clause)
        size += count
    doubtful = [{"exists": {"field": name}} for name in _DAMAGED]
    found.append(_any([*chunk, *doubtful]))
    return found


def dsl_of(anchor: Anchor) -> Dsl:
    """Return the query of one anchor, without regard to what is not indexed."""
    return _WRITERS[type(anchor)](anchor)


def leaves(clause: Dsl) -> int:
    """Return how many clauses the server counts in ``clause``."""
    inner = clause.get("bool")
    if inner is None:
        return 1
    lists = (listed for listed in inner.values() if isinstance(listed, list))
    return sum(leaves(each) for listed in lists for each in listed)


def _terms(children: Iterable[Anchor]) -> tuple[list[Dsl], list[Anchor]]:
    """Join whole texts of one key: the server takes 65,536 terms as one clause."""
    wholes: dict[str, list[str]] = {}
    others: list[Anchor] = []
    for each in children:
        if isinstance(each, Fits) and _is_whole(each) and each.key != EVENT_ID:
            wholes.setdefault(each.key, []).append(each.parts[0])
        else:
            others.append(each)
    joined: list[Dsl] = [{"terms": {_place(key): texts}} for key, texts in wholes.items()]
    return joined, others


def _is_whole(anchor: Fits) -> bool:
    return len(anchor.parts) == 1 and anchor.starts and anchor.ends


def _fits(anchor: Fits) -> Dsl:
    first, last = anchor.parts[0], anchor.parts[-1]
    if anchor.key == EVENT_ID:
        return {"ids": {"values": [first]}} if _is_whole(anchor) else {"match_all": {}}
    if _is_whole(anchor):
        return {"term": {_place(anchor.key): first}}
    is_edge = len(anchor.parts) == 1 and (anchor.starts or anchor.ends)
    is_short = sum(map(len, anchor.parts)) <= _LONGEST
    if anchor.key in SEARCHED and is_short and not is_edge:
        return {"wildcard": {_place(anchor.key): {"value": _pattern(anchor)}}}
    if anchor.starts:
        return {"prefix": {_place(anchor.key): {"value": first}}}
    if anchor.ends:
        return {"prefix": {_place(anchor.key, backwards=True): {"value": last[::-1]}}}
    return _exists(anchor.key)


def _pattern(anchor: Fits) -> str:
    inner = "*".join(_SPECIAL.sub(r"\\\1", part) for part in anchor.parts)
    return f"{'' if anchor.starts else '*'}{inner}{'' if anchor.ends else '*'}"


def _within(anchor: Within) -> Dsl:
    if anchor.key not in ADDRESSES:
        return _exists(anchor.key)
    return {"term": {f"ip.{anchor.key}": anchor.cidr}}


def _between(anchor: Between) -> Dsl:
    if anchor.key not in NUMBERS:
        return _exists(anchor.key)
    return {"range": {f"number.{anchor.key}": _bounds(anchor.low, anchor.high)}}


def _during(anchor: During) -> Dsl:
    return {"range": {"at": _bounds(anchor.low, anchor.high)}}


def _bounds(low: float | None, high: float | None) -> dict[str, float]:
    named = {"gte": low, "lte": high}
    return {name: bound for name, bound in named.items() if bound is not None}


def _exists(key: str) -> Dsl:
    if "*" in key:  # it would be read as a pattern
        return {"match_all": {}}
    return {"exists": {"field": _place(key)}}


def _place(key: str, *, backwards: bool = False) -> str:
    if key in SEARCHED:
        return f"{'rev' if backwards else 'fold'}.{key}"
    return f"{'rest_rev' if backwards else 'rest'}.{key}"


def _all(clauses: list[Dsl]) -> Dsl:
    return {"bool": {"filter": clauses}}


def _any(clauses: list[Dsl]) -> Dsl:
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


_WRITERS: Final[dict[type[Any], Callable[[Any], Dsl]]] = {
    Anything: lambda _: {"match_all": {}},
    Has: lambda anchor: _exists(anchor.key),
    Fits: _fits,
    Within: _within,
    Between: _between,
    During: _during,
    AllOf: lambda anchor: _all([dsl_of(each) for each in anchor.children]),
    AnyOf: lambda anchor: _any([dsl_of(each) for each in anchor.children]),
}
