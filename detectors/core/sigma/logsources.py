"""Log sources: on which events a rule is asked at all, and what its fields are called there.

The table is data (``rules/logsources/*.toml``). An entry names product, category and
service (each may be open) and alternatives: ``when`` (conditions on our own fields: a text,
a list of texts, or ``*`` for "present") and ``fields`` (the rule's name → the event's, or
what is made of several: ``derived``). Entries of one log source add up. ``aliases`` are names
that one source writes in more than one case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from detectors.core.events.text import fold
from detectors.core.sigma.tree import (
    Absent,
    And,
    Atom,
    Node,
    Not,
    Or,
    Present,
    Reference,
    Text,
    all_of,
    any_of,
    atoms_of,
)
from detectors.models.rules import Logsource


class BadTable(ValueError):
    """An entry of the log source table has not the documented shape."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One kind of event that a rule may be asked about.

    ``empty_is_absent``: an empty text also counts as no value (EVTX writes both).
    """

    when: tuple[tuple[str, tuple[str, ...]], ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    empty_is_absent: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What the table says of a log source; no alternatives: it can never fire."""

    logsource: Logsource
    alternatives: tuple[Alternative, ...]
    note: str = ""

    def with_more(self, other: Entry) -> Entry:
        """Return what two entries of one log source say together: further kinds of events."""
        return replace(self, alternatives=(*self.alternatives, *other.alternatives))


@dataclass(frozen=True, slots=True)
class Aliases:
    """Names of one thing that differ only by case, in the events of a log source."""

    logsource: Logsource
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """All entries."""

    entries: tuple[Entry, ...]
    aliases: tuple[Aliases, ...] = ()
    _known: dict[Logsource, tuple[Alternative, ...] | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def other_names(self, logsource: Logsource) -> Mapping[str, tuple[str, ...]]:
        """Return, by a name, all names (itself first) that mean the same in ``logsource``."""
        return {
            name: (name, *(other for other in group if other != name))
            for each in self.aliases
            if _fits(each.logsource, logsource)
            for group in each.groups
            for name in group
        }

    def alternatives(self, logsource: Logsource) -> tuple[Alternative, ...] | None:
        """Return the kinds of events of ``logsource``; None if the table has no word on it.

        Thousands of rules ask about a few dozen log sources: each is worked out once.
        """
        if logsource not in self._known:
            self._known[logsource] = self._alternatives(logsource)
        return self._known[logsource]

    def _alternatives(self, logsource: Logsource) -> tuple[Alternative, ...] | None:
        entries = _most_specific(e for e in self.entries if _fits(e.logsource, logsource))
        covered = {name for e in entries for name, _ in _given(e.logsource)}
        wanted = {name for name, _ in _given(logsource)} - {"product"}
        if not entries or not wanted <= covered:
            return None
        return tuple(
            _joined(chosen) for chosen in product(*(entry.alternatives for entry in entries))
        )


def read_table(documents: Iterable[Mapping[str, Any]]) -> Table:
    """Return the table that TOML ``documents`` describe; raise ``BadTable``."""
    entries: dict[Logsource, Entry] = {}
    aliases: list[Aliases] = []
    for document in documents:
        for raw in (*document.get("logsource", ()), *document.get("aliases", ())):
            try:
                if "groups" in raw:
                    aliases.append(_aliases(raw))
                else:
                    entry = _entry(raw)
                    known = entries.get(entry.logsource)
                    entries[entry.logsource] = entry if known is None else known.with_more(entry)
            except (TypeError, AttributeError, KeyError) as error:
                msg = f"not an entry of the log source table: {raw!r}"
                raise BadTable(msg) from error
    return Table(tuple(entries.values()), tuple(aliases))


def with_logsource(tree: Node, logsource: Logsource, table: Table) -> Node:
    """Return ``tree`` restricted to the events of ``logsource``, in those events' names.

    A source that the table does not know is taken by ECS's own convention:
    ``event.dataset`` is ``product.service`` or ``product.category``.
    """
    alternatives = table.alternatives(logsource)
    if alternatives is None:
        name = ".".join(part for part in (logsource.product, _kind(logsource)) if part)
        alternatives = (Alternative((("event.dataset", (name,)),)),)
    names = table.other_names(logsource)
    return any_of(tuple(_applied(tree, each, names) for each in alternatives))


def branches(tree: Node, logsource: Logsource, table: Table) -> tuple[Node, ...]:
    """Return what a restricted ``tree`` asks of each kind of events of ``logsource``."""
    alternatives = table.alternatives(logsource)
    count = 1 if alternatives is None else len(alternatives)
    if count > 1 and isinstance(tree, Or) and len(tree.children) == count:
        return tree.children
    return (tree,)


def _kind(logsource: Logsource) -> str | None:
    return logsource.service or logsource.category


def _entry(raw: Mapping[str, Any]) -> Entry:
    source = Logsource(*(raw.get(key) for key in ("product", "category", "service")))
    alternatives = tuple(
        Alternative(
            tuple((name, _several(value)) for name, value in each["when"].items()),
            dict(each.get("fields", {})),
            bool(each.get("empty_is_absent", False)),
        )
        for each in raw["alternative"]
    )
    return Entry(source, alternatives, str(raw.get("note", "")))


def _aliases(raw: Mapping[str, Any]) -> Aliases:
    source = Logsource(*(raw.get(key) for key in ("product", "category", "service")))
    groups = tuple(tuple(map(str, group)) for group in raw["groups"])
    if any(len({name.lower() for name in group}) != 1 for group in groups):
        msg = "a group of aliases differs by more than case"
        raise TypeError(msg)
    return Aliases(source, groups)


def _several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(map(str, value))


def _given(logsource: Logsource) -> list[tuple[str, str]]:
    pairs = (
        ("product", logsource.product),
        ("category", logsource.category),
        ("service", logsource.service),
    )
    return [(name, value) for name, value in pairs if value is not None]


def _fits(entry: Logsource, logsource: Logsource) -> bool:
    return set(_given(entry)) <= set(_given(logsource))


def _most_specific(entries: Iterable[Entry]) -> list[Entry]:
    found = list(entries)
    given = [set(_given(entry.logsource)) for entry in found]
    return [
        entry for entry, own in zip(found, given, strict=True) if not any(own < g for g in given)
    ]


def _joined(chosen: tuple[Alternative, ...]) -> Alternative:
    return Alternative(
        tuple(condition for each in chosen for condition in each.when),
        {name: to for each in chosen for name, to in each.fields.items()},
        any(each.empty_is_absent for each in chosen),
    )


def _applied(tree: Node, alternative: Alternative, names: Mapping[str, tuple[str, ...]]) -> Node:
    conditions = tuple(_condition(name, values) for name, values in alternative.when)
    # a rule that asks the same field for '' as well means null to be something else
    strict = frozenset(a.field for a in atoms_of(tree) if isinstance(a, Text) and not a.literal)
    renaming = _Renaming(alternative, strict, names)
    return all_of((*conditions, _renamed(tree, renaming)))


def _condition(name: str, values: tuple[str, ...]) -> Node:
    if values == ("*",):
        return Present(name)
    return any_of(tuple(Text(name, "equals", fold(value)) for value in values))


@dataclass(frozen=True, slots=True)
class _Renaming:
    """How the questions of a rule become questions about one kind of event."""

    alternative: Alternative
    strict: frozenset[str]
    aliases: Mapping[str, tuple[str, ...]]

    def names(self, field: str) -> tuple[str, ...]:
        mapped = self.alternative.fields.get(field)
        return (mapped,) if mapped is not None else self.aliases.get(field, (field,))


def _renamed(node: Node, renaming: _Renaming) -> Node:
    if isinstance(node, And | Or):
        return type(node)(tuple(_renamed(each, renaming) for each in node.children))
    if isinstance(node, Not):
        return Not(_renamed(node.child, renaming))
    return _atom(node, renaming)


def _atom(atom: Atom, renaming: _Renaming) -> Node:
    names = renaming.names(atom.field)
    if isinstance(atom, Reference):
        return any_of(
            tuple(
                Reference(name, other, atom.operation)
                for name in names
                for other in renaming.names(atom.other)
            )
        )
    if not isinstance(atom, Absent):
        return any_of(tuple(replace(atom, field=name) for name in names))
    lenient = renaming.alternative.empty_is_absent and atom.field not in renaming.strict
    return all_of(tuple(_absent(name, lenient=lenient) for name in names))


def _absent(name: str, *, lenient: bool) -> Node:
    return Or((Absent(name), Text(name, "equals", ""))) if lenient else Absent(name)
