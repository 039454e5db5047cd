"""The anchor of rules: of each tree the questions that an index answers best.

A tree's budget keeps the whole within what a server takes; a question that is left out
lets more events through, never fewer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from ipaddress import IPv6Network, ip_network
from typing import Any, Final

from detectors.core.anchors.shadow import key_of
from detectors.core.events.text import fold
from detectors.core.sigma.derived import derivation
from detectors.core.sigma.regex import required_literal
from detectors.core.sigma.tree import (
    KEYWORDS,
    Absent,
    And,
    Atom,
    Gap,
    Network,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    Reference,
    Regex,
    Text,
)
from detectors.models.shadows import ADDRESSES, NUMBERS, SEARCHED
from secops.kernel.anchors import (
    ANYTHING,
    AllOf,
    Anchor,
    AnyOf,
    Anything,
    Between,
    Fits,
    Has,
    Within,
    all_of,
    any_of,
)

_BUDGET: Final = 4_000
_LEAST: Final = 8
_MOST: Final = 1_000
_LEAVES: Final = 2_000
_INSIDE: Final = 50
_PRESENT: Final = 20
_LITERAL: Final = 2
_V4: Final = 4
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_COMPARED: Final = 400


def rules_anchor(trees: Sequence[Node]) -> Anchor:
    """Return an anchor that holds wherever one of ``trees`` does.

    Of very many rules each says only what is cheapest: most then say the same.
    """
    budget = max(_LEAST, min(_MOST, _BUDGET // max(1, len(trees))))
    joint = _joint(trees, budget)
    return joint if _leaves(joint) <= _LEAVES else _joint(trees, 1)


def _joint(trees: Sequence[Node], budget: int) -> Anchor:
    found: dict[Anchor, None] = {}
    for tree in trees:
        anchor = anchor_of(tree, budget)
        if isinstance(anchor, Anything):
            return ANYTHING
        found.update(dict.fromkeys(anchor.children if isinstance(anchor, AnyOf) else (anchor,)))
    return any_of(_absorbed(tuple(found)))


def _leaves(anchor: Anchor) -> int:
    return sum(map(_leaves, anchor.children)) if isinstance(anchor, AllOf | AnyOf) else 1


def anchor_of(node: Node, budget: int) -> Anchor:
    """Return an anchor of one tree that costs at most about ``budget``."""
    if isinstance(node, And):
        return _cheapest(node, budget)
    if isinstance(node, Or):
        parts = []
        for child in node.children:
            part = anchor_of(child, budget)
            if isinstance(part, Anything):
                return ANYTHING
            parts.append(part)
        return any_of(tuple(parts))
    return ANYTHING if isinstance(node, Not) else _atom(node)


def cost_of(anchor: Anchor) -> int:
    """Return how dear an anchor is to a server: one for a term, more for a search inside."""
    if isinstance(anchor, AllOf | AnyOf):
        return sum(map(cost_of, anchor.children))
    if isinstance(anchor, Fits):
        is_whole = len(anchor.parts) == 1 and (anchor.starts or anchor.ends)
        return 1 if is_whole else _INSIDE if anchor.key in SEARCHED else _PRESENT
    return _PRESENT if isinstance(anchor, Has) else 1


def _cheapest(node: And, budget: int) -> Anchor:
    parts: list[Anchor] = []
    for child in node.children:
        part = anchor_of(child, budget)
        parts.extend(part.children if isinstance(part, AllOf) else (part,))
    telling = sorted((p for p in parts if not isinstance(p, Anything)), key=cost_of)
    chosen: list[Anchor] = []
    spent = 0
    for part in telling:
        spent += cost_of(part)
        if chosen and spent > budget:
            break
        chosen.append(part)
    return all_of(tuple(chosen))


def _atom(atom: Atom) -> Anchor:
    if atom.field == KEYWORDS or isinstance(atom, Absent):
        return ANYTHING
    derived = derivation(atom.field)
    if derived is not None:  # is absent without its first field
        return Has(key_of(derived[1][0]))
    key = key_of(atom.field)
    writer = _WRITERS.get(type(atom))
    return Has(key) if writer is None else writer(atom, key)


def _reference(atom: Reference, key: str) -> Anchor:
    other = derivation(atom.other)
    name = atom.other if other is None else other[1][0]
    return all_of((Has(key), Has(key_of(name))))


def _text(atom: Text, key: str) -> Anchor:
    if atom.cased:
        if atom.operation != "equals":
            return _edges(key, (_raw(atom.literal),), atom.operation)
        return Fits(key, (fold(atom.literal),), starts=True, ends=True)
    if atom.operation == "equals":
        return Fits(key, (atom.literal,), starts=True, ends=True)
    return _edges(key, (atom.literal,), atom.operation)


def _edges(key: str, parts: tuple[str, ...], operation: str) -> Anchor:
    if not parts[0]:
        return Has(key)
    starts, ends = operation == "startswith", operation == "endswith"
    return Fits(key, parts, starts=starts, ends=ends)


def _pattern(atom: Pattern, key: str) -> Anchor:
    texts = [part for part in atom.parts if isinstance(part, str)]
    if atom.cased:  # what says nothing about the folded text is a gap
        texts = [_raw(text) for text in texts]
    kept = tuple(text for text in texts if text)
    if not kept:
        return Has(key)
    starts = not isinstance(atom.parts[0], Gap) and bool(texts[0])
    ends = not isinstance(atom.parts[-1], Gap) and bool(texts[-1])
    return Fits(key, kept, starts=starts, ends=ends)


def _inside(key: str, literal: str) -> Anchor:
    text = _raw(literal)
    return Fits(key, (text,)) if len(text) >= _LITERAL else Has(key)


def _raw(literal: str) -> str:
    """Return what the folded text must hold where the raw one holds ``literal``; maybe ""."""
    return fold(literal) if literal.isascii() and "\r" not in literal else ""


def _network(atom: Network, key: str) -> Anchor:
    """Return the anchor of a network; one of IPv4-mapped addresses is left to the engine."""
    network = ip_network(atom.cidr)
    is_plain = network.version == _V4 or not network.overlaps(_MAPPED)
    return Within(key, str(network)) if is_plain and key in ADDRESSES else Has(key)


def _number(atom: Number, key: str) -> Anchor:
    if key not in NUMBERS:
        return Has(key)
    bound = float(atom.bound)
    if not math.isfinite(bound):
        return Has(key)
    low = bound if atom.comparison in ("gt", "gte", "eq") else None
    high = bound if atom.comparison in ("lt", "lte", "eq") else None
    return Between(key, low, high)


_WRITERS: Final[dict[type[Any], Callable[[Any, str], Anchor]]] = {
    Text: _text,
    Pattern: _pattern,
    Regex: lambda atom, key: _inside(key, required_literal(atom.pattern)),
    Network: _network,
    Number: _number,
    Reference: _reference,
}
"""Of a question that is not here only the presence of its field is asked."""


def _absorbed(anchors: tuple[Anchor, ...]) -> tuple[Anchor, ...]:
    """Leave out conjunctions that another anchor alone implies."""
    whole = {each for each in anchors if not isinstance(each, AllOf)}
    sets = {frozenset(each.children) for each in anchors if isinstance(each, AllOf)}
    others = sets if len(sets) <= _COMPARED else set()
    kept = []
    for each in anchors:
        if isinstance(each, AllOf):
            children = frozenset(each.children)
            if whole & children or any(other < children for other in others):
                continue
        kept.append(each)
    return tuple(kept)
