"""Which stored sources feed a rule, and which of the fields it names they ever had.

A rule's log source is one or several kinds of events (process creation: Sysmon 1, Security
4688…). Fields are looked for kind by kind, on the events of that kind only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.core.detection import Detector
from detectors.core.engine.columns import View
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import table_of
from detectors.core.sigma.logsources import Table, branches, with_logsource
from detectors.core.sigma.rule import CompiledRule
from detectors.core.sigma.tree import KEYWORDS, Node, Not, Present, fields_of
from detectors.models.rules import Logsource
from detectors.models.schedule import Feed
from secops.kernel.logs import Batch

_NEVER = "\x00never"
_ALWAYS = Not(Present(_NEVER))
"""A question to which every event says yes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of events of a log source; ``name`` is what its sightings are kept under."""

    name: str
    tree: Node


@dataclass(frozen=True, slots=True)
class Need:
    """What a rule asks of one kind of events."""

    kind: Kind
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a batch showed: events by kind and source, and fields seen for the first time."""

    feeds: tuple[Feed, ...]
    fields: Mapping[str, frozenset[str]]


def kinds_of(logsource: Logsource, table: Table) -> tuple[Kind, ...]:
    """Return the kinds of events of ``logsource``."""
    trees = branches(with_logsource(_ALWAYS, logsource, table), logsource, table)
    return tuple(Kind(f"{logsource}#{number}", tree) for number, tree in enumerate(trees))


def needs_of(rule: CompiledRule, table: Table) -> tuple[Need, ...]:
    """Return which fields a rule names, by the kind of events that it names them for."""
    logsource = rule.header.logsource
    trees = branches(rule.tree, logsource, table)
    needs = []
    for kind, tree in zip(kinds_of(logsource, table), trees, strict=False):
        fields = fields_of(tree) - fields_of(kind.tree) - {KEYWORDS}
        needs.append(Need(kind, fields))
    return tuple(needs)


def missing_fields(
    needs: Sequence[Need], events: Mapping[str, int], seen: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """Return the fields that no event of a rule's has had; none if one kind has all.

    Kinds without ``events`` say nothing.
    """
    lacking = [
        need.fields - seen.get(need.kind.name, frozenset())
        for need in needs
        if events.get(need.kind.name, 0)
    ]
    return min(lacking, key=len, default=frozenset())


class Watch:
    """Looks at batches for the sources and the fields of rules."""

    def __init__(self, detectors: Iterable[Detector], table: Table) -> None:
        self.needs: dict[str, tuple[Need, ...]] = {}
        self._wanted: dict[str, set[str]] = {}
        kinds: dict[str, Kind] = {}
        for detector in detectors:
            mine = [need for rule in detector.rules for need in needs_of(rule, table)]
            self.needs[detector.header.id] = tuple(mine)
            for need in mine:
                kinds[need.kind.name] = need.kind
                self._wanted.setdefault(need.kind.name, set()).update(need.fields)
        self._kinds = tuple(kinds.values())
        self._program = Program([kind.tree for kind in self._kinds])

    def look(self, batch: Batch, seen: Mapping[str, frozenset[str]]) -> Sight:
        """Return what ``batch`` shows that is not among ``seen`` fields."""
        table = table_of(batch)
        view = View(table)
        sources = np.frombuffer(batch.source.codes, dtype=np.int32)
        feeds: list[Feed] = []
        fields: dict[str, frozenset[str]] = {}
        for position, rows in evaluate(self._program, table).items():
            name = self._kinds[position].name
            codes, counts = np.unique(sources[rows], return_counts=True)
            for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
                source = str(batch.source.values[code])
                feeds.append(Feed(name, source, count, batch.last_seq))
            found = set()
            for field in self._wanted[name] - seen.get(name, frozenset()):
                index = view.index(field)
                if index is not None and index.any_of(rows):
                    found.add(field)
            if found:
                fields[name] = frozenset(found)
        return Sight(tuple(feeds), fields)
