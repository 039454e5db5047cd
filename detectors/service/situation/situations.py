"""The situation is looked at once a minute and kept: a page reads what was seen, and how old it is.

Figures of days that are over stay as they were last seen on that day: nobody can say later how
many alerts were overdue, except by having counted them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.core.alert_volume import forecast_volume
from detectors.models.alerts import RISKS, AlertFilter
from detectors.models.rules import Severity
from detectors.models.situation import (
    FIGURES,
    RISKY,
    Figure,
    Situation,
    SituationView,
    SystemRisk,
)
from detectors.ports import AlertQueueStore, LogSources, SourceHealths
from detectors.ports.situation import OpenIncidents, SituationStore
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, MINUTE, day_start
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_READ
from secops.kernel.transactions import Transaction

EVERY_SECONDS: Final = 10.0
FRESH: Final = MINUTE
"""How old a situation becomes before the next look; the first one is taken at once."""
STALE: Final = 5 * MINUTE
"""A situation that is older is shown with a warning: whoever looks at it must not rely on it."""
TREND_DAYS: Final = 14
RAISED_DAYS: Final = 63
"""Days of which alerts are counted: eight weeks before the back-test's last day, and that week."""
KEPT_DAYS: Final = 400
WEIGHED: Final = 2_000
SYSTEMS: Final = 50
_RAISED: Final = "raised"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class SituationService:
    """Looks at the situation of every organisation, and shows what was seen."""

    parts: Parts
    logs: LogStore
    store: SituationStore
    queue: AlertQueueStore
    sources: LogSources
    healths: SourceHealths
    incidents: OpenIncidents

    def look(self) -> bool:
        """Keep the present situation of every organisation whose last one is no longer fresh.

        Where one fails the others are looked at all the same; then its error is raised.
        """
        now = self.parts.clock.now()

        def waiting(tx: Transaction) -> list[str]:
            seen = {org_id: self.store.last(tx, org_id) for org_id in self.store.organisations(tx)}
            return [org_id for org_id, last in seen.items() if not _is_fresh(last, now)]

        failures: list[Exception] = []
        due = self.parts.transactions.read(waiting)
        for org_id in due:
            try:
                self._look_at(org_id)
            except Exception as error:  # noqa: BLE001 - raised when the others have been seen
                failures.append(error)
        if due:
            oldest = day_start(now) - KEPT_DAYS * DAY
            self.parts.transactions.run(lambda tx: self.store.forget(tx, oldest))
        if failures:
            raise failures[0]
        return False

    def show_situation(self, actor: Actor) -> SituationView | None:
        """Return what was last seen of the reader's organisation; None before the first look."""
        self.parts.access.require(actor, ALERT_READ, "situation:now")
        now = self.parts.clock.now()
        since = day_start(now) - (TREND_DAYS - 1) * DAY

        def read(tx: Transaction) -> tuple[Situation | None, Mapping[str, Mapping[int, int]]]:
            org_id = actor.org_id
            return self.store.last(tx, org_id), self.store.trends(tx, org_id, since)

        found, trends = self.parts.transactions.read(read)
        if found is None:
            return None
        counts = [count for _, count in found.raised]
        return SituationView(
            situation=found,
            trends={figure: tuple(trends.get(figure, {}).items()) for figure in FIGURES},
            forecast=forecast_volume(counts),
            is_stale=now - found.at > STALE,
        )

    def _look_at(self, org_id: str) -> None:
        now = self.parts.clock.now()
        today = day_start(now)
        read = self.parts.transactions.read
        figures = read(lambda tx: self._figures(tx, org_id, now))
        raised, fresh = read(lambda tx: self._raised(tx, org_id, today))
        newest = read(lambda tx: self.store.newest_open(tx, org_id, WEIGHED))
        owners = {
            source.name: source.owner for source in read(lambda tx: self.sources.list(tx, org_id))
        }
        systems, unplaced = self._systems(newest, owners)
        seen = Situation(
            org_id=org_id,
            at=now,
            figures=figures,
            systems=systems,
            raised=raised,
            weighed=len(newest),
            unplaced=unplaced,
        )

        def work(tx: Transaction) -> None:
            self.store.keep(tx, seen)
            self.store.note(tx, org_id, today, {str(name): n for name, n in figures.items()})
            for day, count in fresh:
                self.store.note(tx, org_id, day, {_RAISED: count})

        self.parts.transactions.run(work)

    def _figures(self, tx: Transaction, org_id: str, now: int) -> dict[Figure, int]:
        def count(wanted: AlertFilter) -> int:
            return self.queue.count(tx, org_id, wanted)

        waiting = AlertFilter(status="open")
        silent = sum(h.silent_since is not None for h in self.healths.list(tx, org_id))
        return {
            "open": count(waiting),
            "critical": count(replace(waiting, severity="critical")),
            "unacknowledged": count(replace(waiting, acknowledged=False)),
            "overdue": count(replace(waiting, due_before=now)),
            "incidents": self.incidents.count_open(tx, org_id),
            "risky_entities": self.store.risky(tx, org_id, RISKY),
            "silent_sources": silent,
        }

    def _raised(
        self, tx: Transaction, org_id: str, today: int
    ) -> tuple[tuple[tuple[int, int], ...], list[tuple[int, int]]]:
        """Return alerts by day, and those of its days that were counted for the first time."""
        first = today - RAISED_DAYS * DAY
        known = self.store.trends(tx, org_id, first).get(_RAISED, {})
        days = range(first, today, DAY)
        fresh = [
            (day, self.store.raised(tx, org_id, day, day + DAY)) for day in days if day not in known
        ]
        counts = {**known, **dict(fresh)}
        begun = next((place for place, day in enumerate(days) if counts[day]), len(days))
        return tuple((day, counts[day]) for day in days[begun:]), fresh

    def _systems(
        self, newest: Sequence[tuple[Severity, str]], owners: Mapping[str, str]
    ) -> tuple[tuple[SystemRisk, ...], int]:
        """Weigh open alerts by the log source of their first event."""
        ids = sorted({event for _, event in newest if event})
        places: dict[str, str] = {}
        for begin in range(0, len(ids), _AT_ONCE):
            for stored in self.logs.get(ids[begin : begin + _AT_ONCE]):
                places[stored.event.id] = stored.event.source
        alerts: Counter[str] = Counter()
        scores: Counter[str] = Counter()
        for severity, event in newest:
            if event in places:
                alerts[places[event]] += 1
                scores[places[event]] += RISKS[severity]
        heaviest = sorted(scores, key=lambda system: (-scores[system], system))[:SYSTEMS]
        found = tuple(
            SystemRisk(system, owners.get(system, ""), alerts[system], scores[system])
            for system in heaviest
        )
        return found, len(newest) - alerts.total()


def _is_fresh(last: Situation | None, now: int) -> bool:
    return last is not None and 0 <= now - last.at < FRESH
