"""Evidence on logs themselves: who sends, what is in them, how long they are kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from audits.core.gbt22239.checks import FRESH_MINUTES, RETENTION_DAYS
from audits.models.evidence import Fact
from detectors.adapters.log_store import SEGMENTS
from detectors.models.logs import LogSource
from detectors.service import DetectorsServices
from secops.bridges.evidence.log_reader import EVERYTHING, OWN_SOURCE, LogReader
from secops.bridges.evidence.looking import Look, Looks, Sight, of_events
from secops.kernel.clock import DAY, MINUTE, SECOND, from_rfc3339
from secops.settings import Settings

_COVERED_DAYS: Final = 30
_SCHEMA_DAYS: Final = 1
_GAP: Final = 5 * MINUTE
"""Policy: how long an audit process may be silent where nobody said more."""
_FRESH: Final = FRESH_MINUTES * MINUTE
_LAG: Final = 300.0
"""Policy: seconds between an event and its arrival above which clocks are said to differ."""
_MOST_DAYS: Final = 99_999
_PARTS: Final[Mapping[str, str]] = {
    "user": "user.name:* OR user.id:*",
    "type": "event.action:* OR event.category:* OR event.code:*",
    "outcome": "event.outcome:*",
}
_UNTIMED: Final = "log.rejected_time:* OR log.parse_error:*"


class LogEvidence:
    """Looks at the sources in scope and what is stored of them."""

    def __init__(self, settings: Settings, detectors: DetectorsServices) -> None:
        self._settings = settings
        self._detectors = detectors

    @property
    def looks(self) -> Looks:
        """What can be looked for."""
        return {
            "log.coverage": self._coverage,
            "log.schema": self._schema,
            "log.retention": self._retention,
            "log.heartbeat": self._heartbeat,
            "log.integrity": self._integrity,
            "monitor.status": self._monitoring,
        }

    def _coverage(self, look: Look) -> Sight:
        logs = look.logs
        days, today = logs.days(RETENTION_DAYS), look.at // DAY
        facts: dict[str, Fact] = {
            "sources": len(logs.names),
            "silent": sum(_is_silent(logs, name, look.at, DAY) for name in logs.names),
            "assets_without_log": sum(
                not (set(asset.log_sources) & set(logs.stored)) for asset in logs.assets
            ),
            "own_log": OWN_SOURCE in logs.stored,
        }
        if logs.registered:  # of who need not speak each day no day is missing
            facts["sources_with_missing_days"] = sum(
                _missing_days(days.get(name, frozenset()), _begin(source, today), today) > 0
                for name, source in logs.registered.items()
            )
        window = look.since(_COVERED_DAYS * DAY)
        return of_events(facts, logs.scoped(EVERYTHING), window)

    def _schema(self, look: Look) -> Sight:
        logs, window = look.logs, look.since(_SCHEMA_DAYS * DAY)
        total = logs.count(EVERYTHING, window)
        facts: dict[str, Fact] = {"events": total}
        if total:
            rejected = logs.counts(_UNTIMED, window)
            facts["time_permille"] = 1_000 * (total - rejected.total()) // total
            for part, query in _PARTS.items():
                facts[f"{part}_permille"] = 1_000 * logs.count(query, window) // total
            wrong = {key[0] for key in rejected} | self._lagging(look)
            facts["sources_unsynchronised"] = len(wrong)
        return of_events(facts, logs.scoped(EVERYTHING), window)

    def _lagging(self, look: Look) -> set[str]:
        """Return live sources whose events are told much earlier or later than they arrive."""
        registered = look.logs.registered
        return {
            view.name
            for view in self._detectors.source_watch.list_health(look.actor)
            if view.name in registered
            and (registered[view.name].follow or registered[view.name].peers)
            and abs(view.health.lag) > _LAG
        }

    def _retention(self, look: Look) -> Sight:
        logs, today = look.logs, look.at // DAY
        edge = look.at - RETENTION_DAYS * DAY
        days = logs.days(RETENTION_DAYS)
        young = {name for name, seen in logs.stored.items() if seen.first_at > edge}
        short = {
            name
            for name, source in logs.registered.items()
            if 0 < source.created_at <= edge and (name in young or name not in logs.stored)
        }
        young |= logs.names - set(logs.stored)
        holes, quiet = 0, 0
        for name, source in logs.registered.items():
            seen = days.get(name, frozenset())
            # who spoke before the half-year has days from its first on; who fell silent has
            # none since
            first = min(seen, default=today) if name in young else edge // DAY + 1
            missed = _missing_days(seen, first, today)
            expected = source.expected_silence is not None and source.expected_silence <= _A_DAY
            holes += bool(missed) and expected
            quiet += bool(missed) and not expected
        facts: dict[str, Fact] = {
            "configured_days": self._settings.retention_days,
            "sources_short": len(short),
            "sources_young": len(young - short),
        }
        if logs.registered:
            facts |= {"sources_with_holes": holes, "sources_with_quiet_days": quiet}
        capacity = self._capacity(look)
        if capacity is not None:
            facts["capacity_days"] = capacity
        return of_events(facts, logs.scoped(EVERYTHING), look.since(RETENTION_DAYS * DAY))

    def _capacity(self, look: Look) -> int | None:
        """Return for how many days there is room at the pace so far; None where it isn't known."""
        stored = self._detectors.logs.summarise_sources(look.actor)
        if self._settings.logstore_url != SEGMENTS or not stored:
            return None
        folder = self._settings.home / "segments"
        used = _size_of(folder)
        span = max(s.last_ingested for s in stored) - min(s.first_at for s in stored)
        a_day = used / max(1.0, span / DAY)
        room = used + shutil.disk_usage(folder).free
        return min(_MOST_DAYS, int(room / a_day)) if a_day else None

    def _heartbeat(self, look: Look) -> Sight | None:
        logs, window = look.logs, look.since(DAY)
        if not logs.registered:
            return None
        watched = {
            name: source
            for name, source in logs.registered.items()
            if source.expected_silence is not None
        }
        seen: dict[str, set[int]] = {}
        for at, source in logs.counts(EVERYTHING, window, step=_GAP // SECOND):
            seen.setdefault(source, set()).add(from_rfc3339(at) // _GAP)
        gaps = sum(
            _longest_gap(seen.get(name, set()), max(window[0], source.created_at), look.at)
            > max(_GAP, (source.expected_silence or 0) * SECOND)
            for name, source in watched.items()
        )
        views = self._detectors.source_watch.list_health(look.actor)
        facts: dict[str, Fact] = {
            "sources_watched": len(watched),
            "sources_unwatched": len(logs.registered) - len(watched),
            "gaps": gaps,
            "silent_without_alert": sum(
                view.is_silent and not view.health.alert_id
                for view in views
                if view.name in logs.names
            ),
        }
        return of_events(facts, logs.scoped(EVERYTHING), window)

    def _integrity(self, look: Look) -> Sight:
        verdict = self._detectors.integrity.verify_segments(look.actor)
        facts: dict[str, Fact] = {
            "segments": verdict.segments,
            "mismatched": len(verdict.bad),
            "waiting": len(verdict.waiting),
        }
        query = "digests of all segments against the ledger's"
        return Sight(facts, query, link="/ledger?action=detectors.close_segment")

    def _monitoring(self, look: Look) -> Sight | None:
        logs = look.logs
        objects = {asset.id: asset.log_sources for asset in logs.assets} or {
            name: (name,) for name in logs.registered
        }
        if not objects:
            return None
        facts: dict[str, Fact] = {
            "objects": len(objects),
            "unmonitored": sum(not names for names in objects.values()),
            "stale": sum(
                all(_is_silent(logs, name, look.at, _FRESH) for name in names)
                for names in objects.values()
                if names
            ),
        }
        return of_events(facts, logs.scoped(EVERYTHING), look.since(DAY))


_A_DAY: Final = DAY // SECOND


def _begin(source: LogSource, today: int) -> int:
    """Return the first whole day since which a source should have spoken."""
    return max(today - _COVERED_DAYS + 1, source.created_at // DAY + 1)


def _missing_days(seen: frozenset[int], first: int, last: int) -> int:
    """Return how many days from ``first`` on, before ``last``, are not among those seen."""
    return sum(day not in seen for day in range(first, last))


def _is_silent(logs: LogReader, name: str, at: int, least: int) -> bool:
    source, stored = logs.registered.get(name), logs.stored.get(name)
    if stored is None:
        return True
    expected = (source.expected_silence or 0) * SECOND if source else 0
    return at - stored.last_ingested > max(least, expected)


def _longest_gap(seen: set[int], since: int, until: int) -> int:
    """Return the longest time (microseconds) without an event, in steps of five minutes."""
    edges = [since // _GAP, *sorted(seen), until // _GAP]
    between = (after - before - 1 for before, after in pairwise(edges))
    return max((max(0, steps) for steps in between), default=0) * _GAP


def _size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
