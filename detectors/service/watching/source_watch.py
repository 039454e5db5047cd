"""How each source fares: last event, rate, lag, what was refused or dropped, and its silence.

A source that says nothing for longer than is expected of it raises a health alert, which ends
when it speaks again: an attacker's first act is often to stop the logging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.core.detection import alert_id
from detectors.models.alerts import Reason
from detectors.models.logs import LogSource, SourceHealth
from detectors.ports import AlertStore, LogSources, SourceHealths
from detectors.service.rules.rule_alerts import cure, health_alert, open_health
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import MINUTE, SECOND, rfc3339_or_none, to_rfc3339
from secops.kernel.logs import LogStore, SourceSummary
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_SOURCE_READ
from secops.kernel.transactions import Transaction

EVERY_SECONDS: Final = 10.0
PROBLEM: Final = "source_silent"
_VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source with how it fares; ``source`` None for one that is not registered."""

    name: str
    source: LogSource | None
    health: SourceHealth

    @property
    def is_silent(self) -> bool:
        """Whether it is silent for longer than is expected of it."""
        return self.health.silent_since is not None


@dataclass(frozen=True, slots=True)
class SourceWatch:
    """Looks at all sources, in the scheduler; shows what it saw to everybody else."""

    parts: Parts
    logs: LogStore
    sources: LogSources
    healths: SourceHealths
    alerts: AlertStore

    def watch(self) -> bool:
        """Note how every source fares; open and end the alerts of silence."""
        stored = {summary.source: summary for summary in self.logs.sources()}
        now = self.parts.clock.now()

        def work(tx: Transaction) -> None:
            registered = {(s.org_id, s.name): s for s in self.sources.list(tx, None)}
            known = {(h.org_id, h.source): h for h in self.healths.list(tx, None)}
            named = {name for _, name in registered}
            strangers = {(ROOT_ORG, name) for name in stored if name not in named}
            for key in sorted({*registered, *known, *strangers}):
                before = known.get(key, SourceHealth(*key))
                source = registered.get(key)
                seen = observed(before, stored.get(key[1]), source, now)
                self._settle(tx, seen, source)

        self.parts.transactions.run(work)
        return False

    def list_health(self, actor: Actor) -> Sequence[SourceView]:
        """Return the organisation's sources with how they fare, silent ones first, by name."""
        self.parts.access.require(actor, LOG_SOURCE_READ, "source:*")

        def read(tx: Transaction) -> tuple[Sequence[LogSource], Sequence[SourceHealth]]:
            org = actor.org_id
            return self.sources.list(tx, org), self.healths.list(tx, org)

        sources, healths = self.parts.transactions.read(read)
        by_name = {source.name: source for source in sources}
        seen = {health.source: health for health in healths}
        views = [
            SourceView(name, by_name.get(name), seen.get(name, SourceHealth(actor.org_id, name)))
            for name in {*by_name, *seen}
        ]
        return sorted(views, key=lambda view: (not view.is_silent, view.name))

    def _settle(self, tx: Transaction, seen: SourceHealth, source: LogSource | None) -> None:
        """Keep what was seen, and bring its alert in line with it."""
        identifier = alert_id("health", (PROBLEM, _about(seen)), "")
        if seen.silent_since is None or source is None:
            if seen.alert_id is not None:
                cure(tx, self.alerts, identifier)
            self.healths.observe(tx, replace(seen, alert_id=None))
            return
        alert = health_alert(
            PROBLEM, (_about(seen), _VERSION), _title(source), _reasons(source, seen), tx.now
        )
        open_health(tx, self.alerts, alert)
        self.healths.observe(tx, replace(seen, alert_id=identifier))


def observed(
    before: SourceHealth, summary: SourceSummary | None, source: LogSource | None, now: int
) -> SourceHealth:
    """Return how a source fares now, from what the store holds of it.

    The silence of one that has never said anything counts from its registration.
    """
    events = summary.events if summary else 0
    elapsed = now - before.checked_at if before.checked_at else 0
    fresh = max(events - before.events, 0)
    last_at = summary.last_at if summary else None
    last = summary.last_ingested if summary else None
    since = last if last is not None else (source.created_at if source else now)
    expected = source.expected_silence if source else None
    is_silent = expected is not None and now - since > expected * SECOND
    lag = before.lag
    if fresh and last is not None and last_at is not None:
        lag = max(last - last_at, 0) / SECOND
    return replace(
        before,
        events=events,
        last_at=last_at,
        last_ingested=last,
        rate=round(fresh * MINUTE / elapsed, 3) if elapsed > 0 else 0.0,
        lag=round(lag, 3),
        checked_at=now,
        silent_since=since if is_silent else None,
    )


def _about(health: SourceHealth) -> str:
    return f"source:{health.org_id}:{health.source}"


def _title(source: LogSource) -> str:
    return f"日志来源静默 / log source is silent: {source.name}"


def _reasons(source: LogSource, seen: SourceHealth) -> list[Reason]:
    last = to_rfc3339(seen.silent_since) if seen.silent_since is not None else "-"
    return [
        Reason("expected_silence", f"≤ {source.expected_silence} s", f"since {last}"),
        Reason("owner", "-", source.owner or "-"),
    ]


def view_record(view: SourceView) -> Mapping[str, object]:
    """Return a source and its health as JSON values, the same on every face."""
    health, source = view.health, view.source
    return {
        "name": view.name,
        "registered": source is not None,
        "owner": source.owner if source else "",
        "format": source.format if source else "",
        "expected_silence": source.expected_silence if source else None,
        "events": health.events,
        "last_at": rfc3339_or_none(health.last_at),
        "last_ingested": rfc3339_or_none(health.last_ingested),
        "rate": health.rate,
        "lag": health.lag,
        "rejected": health.rejected,
        "dropped": health.dropped,
        "silent_since": rfc3339_or_none(health.silent_since),
        "checked_at": rfc3339_or_none(health.checked_at or None),
    }
