"""Trees of rules as nested lists, which JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from detectors.core.sigma.tree import (
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
    Present,
    Reference,
    Regex,
    Text,
    TimePart,
)

_CLASSES: Final[Mapping[str, type[Atom]]] = {
    "text": Text,
    "regex": Regex,
    "network": Network,
    "number": Number,
    "time": TimePart,
    "present": Present,
    "absent": Absent,
    "reference": Reference,
}
_TAGS: Final = {kind: tag for tag, kind in _CLASSES.items()}


def encode_tree(node: Node) -> list[Any]:
    """Return ``node`` as nested lists."""
    if isinstance(node, And | Or):
        return ["and" if isinstance(node, And) else "or", *map(encode_tree, node.children)]
    if isinstance(node, Not):
        return ["not", encode_tree(node.child)]
    if isinstance(node, Pattern):
        parts = [part if isinstance(part, str) else int(part) for part in node.parts]
        return ["pattern", node.field, parts, node.cased]
    return [_TAGS[type(node)], *(getattr(node, name) for name in type(node).__slots__)]


def decode_tree(encoded: list[Any]) -> Node:
    """Return the tree that ``encode_tree`` wrote."""
    tag, *rest = encoded
    kind = _CLASSES.get(tag)
    if kind is not None:
        return kind(*rest)
    if tag == "not":
        return Not(decode_tree(rest[0]))
    if tag == "pattern":
        name, parts, cased = rest
        return Pattern(name, tuple(p if isinstance(p, str) else Gap(p) for p in parts), cased)
    children = tuple(decode_tree(child) for child in rest)
    return And(children) if tag == "and" else Or(children)
