"""Why a rule holds for an event: the questions that decided, and what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from detectors.core.engine.single import AtomReader, Reading
from detectors.core.engine.tables import keyword_text
from detectors.core.events.text import texts_of
from detectors.core.sigma.derived import derivation
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
    Present,
    Reference,
    Regex,
    Text,
    TimePart,
    atoms_of,
)
from detectors.models.alerts import Reason
from secops.kernel.logs import Value

MAX_REASONS: Final = 20
MAX_SEEN: Final = 200
_WORDS: Final = {
    "equals": "=",
    "contains": "contains",
    "startswith": "starts with",
    "endswith": "ends with",
    "lt": "<",
    "lte": "≤",
    "gt": ">",
    "gte": "≥",
    "eq": "=",
}


class Explainer:
    """Explains one rule's tree."""

    def __init__(self, tree: Node) -> None:
        self._tree = tree
        self._atoms = [AtomReader(atom) for atom in dict.fromkeys(atoms_of(tree))]

    def explain(self, fields: Mapping[str, Value], raw: bytes) -> tuple[Reason, ...]:
        """Return the rows of the *why* table for an event that the tree holds for."""
        reading = Reading(fields, lambda: keyword_text(fields, raw))
        true = {each.atom for each in self._atoms if each.holds(reading)}
        reasons = []
        for atom in dict.fromkeys(_supports(self._tree, true)):
            seen = _seen(reading, atom.field)
            name = "keywords" if atom.field == KEYWORDS else atom.field
            reasons.append(Reason(name.removeprefix("System."), expected(atom), seen))
        return tuple(reasons[:MAX_REASONS])


def expected(atom: Atom) -> str:
    """Return what ``atom`` asks, as people read it."""
    if isinstance(atom, Text):
        return f"{_WORDS[atom.operation]} {atom.literal}"
    if isinstance(atom, Pattern):
        gaps = {Gap.RUN: "*", Gap.ONE: "?"}
        shown = (gaps[part] if isinstance(part, Gap) else part for part in atom.parts)
        return f"like {''.join(shown)}"
    if isinstance(atom, Reference):
        return f"{_WORDS[atom.operation]} field {atom.other}"
    if isinstance(atom, Present | Absent):
        return "present" if isinstance(atom, Present) else "absent"
    return _computed(atom)


def _computed(atom: Regex | Network | Number | TimePart) -> str:
    if isinstance(atom, Regex):
        return f"matches {atom.pattern}"
    if isinstance(atom, Network):
        return f"in {atom.cidr}"
    if isinstance(atom, Number):
        return f"{_WORDS[atom.comparison]} {atom.bound}"
    return f"{atom.unit} {_WORDS[atom.comparison]} {atom.bound}"


def _supports(node: Node, true: set[Atom]) -> list[Atom]:
    """Return the atoms that hold and carry the answer; what a NOT excludes carries nothing."""
    if isinstance(node, And):
        return [atom for child in node.children for atom in _supports(child, true)]
    if isinstance(node, Or):
        holding = (child for child in node.children if _holds(child, true))
        return [atom for child in holding for atom in _supports(child, true)]
    if isinstance(node, Not):
        return []
    return [node] if node in true else []


def _holds(node: Node, true: set[Atom]) -> bool:
    if isinstance(node, And):
        return all(_holds(child, true) for child in node.children)
    if isinstance(node, Or):
        return any(_holds(child, true) for child in node.children)
    if isinstance(node, Not):
        return not _holds(node.child, true)
    return node in true


def _seen(reading: Reading, name: str) -> str:
    derived = derivation(name)
    if derived is not None:
        return ", ".join(_seen(reading, each) for each in derived[1])[:MAX_SEEN]
    value = reading.value(name)
    return "" if value is None else ", ".join(texts_of(value))[:MAX_SEEN]
