"""The log store as evidence is read from it: counts and newest events of the sources in scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from audits.models.systems import THIS_INSTANCE, Asset, Scope
from detectors.models.logs import LogSource
from detectors.service import DetectorsServices
from detectors.service.logs.log_search import read_search
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY, SECOND, from_rfc3339, to_rfc3339
from secops.kernel.logs import Aggregation, Query, SourceSummary, StoredEvent
from secops.kernel.logs import Window as Span
from secops.kernel.permissions.detectors import LOG_SEARCH

OWN_SOURCE: Final = "govsecops"
EVERYTHING: Final = "*"
_BUCKETS: Final = 1_000_000
_NAMED: Final = 100
"""Sources that a query names; of more all are counted and the others left out after it."""
_NEWEST: Final = 10_000
_Question = tuple[str, tuple[int, int], tuple[str, ...], int | None]


class LogReader:
    """Reads for one assessment. Only sources in scope count, whatever else the store holds.

    The platform's own assessment by the root organisation is of every source; any other is of
    those that its assets name, and that its organisation has registered. With ``own`` it reads
    the ledger's records in the store, those of the actor's organisation.
    """

    def __init__(
        self,
        detectors: DetectorsServices,
        actor: Actor,
        scope: Scope,
        at: int,
        *,
        own: bool = False,
    ) -> None:
        self._detectors = detectors
        self._actor = actor
        self._scope = scope
        self._at = at
        self._own = own
        self._days: dict[int, Mapping[str, frozenset[int]]] = {}
        self._counted: dict[_Question, Counter[tuple[str, ...]]] = {}

    @cached_property
    def registered(self) -> Mapping[str, LogSource]:
        """The organisation's registered sources in scope, by name."""
        listed = self._detectors.sources.list_sources(self._actor)
        names = self._names
        return {each.name: each for each in listed if names is None or each.name in names}

    @cached_property
    def stored(self) -> Mapping[str, SourceSummary]:
        """What is stored of each source in scope, by name."""
        found = self._detectors.logs.summarise_sources(self._actor)
        names = self._names
        return {each.source: each for each in found if names is None or each.source in names}

    @cached_property
    def names(self) -> frozenset[str]:
        """The sources in scope, registered or stored."""
        return frozenset(self.registered) | frozenset(self.stored)

    @property
    def is_there(self) -> bool:
        """Whether anything is stored of what is read: else nothing counted here says anything."""
        return bool(self.stored)

    @property
    def assets(self) -> Sequence[Asset]:
        """The assets in scope."""
        return self._scope.assets

    @cached_property
    def _names(self) -> frozenset[str] | None:
        if self._own:
            return frozenset({OWN_SOURCE})
        is_root = self._actor.org_id == ROOT_ORG
        is_platform = self._scope.system.id == THIS_INSTANCE
        if is_root and is_platform:
            return None
        claimed = {name for asset in self._scope.assets for name in asset.log_sources}
        ours = {each.name for each in self._detectors.sources.list_sources(self._actor)}
        if is_platform:
            return frozenset(ours)
        return frozenset(claimed if is_root else claimed & ours)

    def scoped(self, query: str) -> str:
        """Return ``query`` narrowed to the sources in scope, as a person would write it."""
        if self._own and self._actor.org_id != ROOT_ORG:
            query = f'({query}) AND organization.id:"{_escaped(self._actor.org_id)}"'
        names = self._names
        if names is None or len(names) > _NAMED:
            return query
        quoted = " OR ".join(f'"{_escaped(name)}"' for name in sorted(names)) or '""'
        narrowed = f"log.source:({quoted})"
        return narrowed if query == EVERYTHING else f"({query}) AND {narrowed}"

    def counts(
        self, query: str, window: tuple[int, int], *fields: str, step: int | None = None
    ) -> Counter[tuple[str, ...]]:
        """Count what ``query`` finds by source and ``fields``; with ``step`` seconds by time too.

        A key is (time, source, *fields), the time in RFC 3339, without it where there is no step.
        Within one assessment the same question is asked once.
        """
        question = (query, window, fields, step)
        if question not in self._counted:
            self._counted[question] = self._count(query, window, fields, step)
        return self._counted[question].copy()

    def _count(
        self, query: str, window: tuple[int, int], fields: tuple[str, ...], step: int | None
    ) -> Counter[tuple[str, ...]]:
        asked, span = self._read(query, window)
        by = Aggregation(("log.source", *fields), interval=step, limit=_BUCKETS)
        found: Counter[tuple[str, ...]] = Counter()
        place = 0 if step is None else 1
        for bucket in self._detectors.logs.store.aggregate(asked, span, by):
            if bucket.key[place] in self.names:
                found[bucket.key] += bucket.count
        return found

    def count(self, query: str, window: tuple[int, int]) -> int:
        """Count what ``query`` finds in the sources in scope."""
        return self.counts(query, window).total()

    def newest(
        self, query: str, window: tuple[int, int], limit: int = _NEWEST
    ) -> Sequence[StoredEvent]:
        """Return the newest events that ``query`` finds, at most 10,000."""
        asked, span = self._read(query, window)
        found = self._detectors.logs.store.search(asked, span, limit)
        return [each for each in found if each.event.source in self.names]

    def days(self, length: int) -> Mapping[str, frozenset[int]]:
        """Return on which days (of UTC, counted from 1970) of ``length`` days each source spoke."""
        if length not in self._days:
            found: dict[str, set[int]] = {}
            window = (self._at - length * DAY, self._at)
            for at, source in self.counts(EVERYTHING, window, step=DAY // SECOND):
                found.setdefault(source, set()).add(from_rfc3339(at) // DAY)
            self._days[length] = {name: frozenset(seen) for name, seen in found.items()}
        return self._days[length]

    def _read(self, query: str, window: tuple[int, int]) -> tuple[Query, Span]:
        logs = self._detectors.logs
        logs.parts.access.require(self._actor, LOG_SEARCH, "logs:*")
        written = to_rfc3339(window[0]), to_rfc3339(window[1])
        return read_search(self.scoped(query), written, logs.timezone, self._at)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def any_of(field: str, values: Sequence[str]) -> str:
    """Return the query that ``field`` is one of ``values``, exactly."""
    quoted = " OR ".join(f'"{_escaped(value)}"' for value in values)
    return f"{field}:({quoted})" if values else f'{field}:"" AND NOT {field}:*'
