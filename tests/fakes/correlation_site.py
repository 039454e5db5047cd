"""Correlations over a real database, fed portion by portion, without a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from detectors.core.correlation.chains import chained_episodes
from detectors.core.detection import Detector, Plan, detectors_of, hits_of
from detectors.core.engine.tables import batch_of
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.rules import RuleFile
from detectors.service.rules.rule_files import compile_rules
from detectors.service.triage.effects import Assessor, Effects, write_effects, write_notes
from detectors.store.alerts import DatabaseAlerts
from detectors.store.correlations import DatabaseCorrelations
from detectors.store.tables import metadata
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import SECOND
from secops.kernel.logs import LogEvent
from secops.kernel.pages import PageRequest
from tests.fakes.log_store import FakeLogStore
from tests.fakes.parts import database_spine

Extent = tuple[str, tuple[str, ...], int, int, int]
"""Rule, group, beginning, end (seconds), and how many matches."""
START = 1_790_000_000 * SECOND
GONE = frozenset({"superseded", "revised"})


@dataclass
class CorrelationSite:
    """Detectors of some rule files, over a database and a log store in memory."""

    spine: Spine
    logs: FakeLogStore
    detectors: Sequence[Detector]
    alerts: DatabaseAlerts
    correlations: DatabaseCorrelations

    def feed(self, events: Sequence[LogEvent]) -> Effects:
        """Store ``events`` and let every detector see them."""
        self.logs.append(events)
        batch = batch_of(events)
        findings, failures = Plan(self.detectors).find(batch)
        assert failures == []
        return self.write(self._assessor().assess(batch, findings, self.spine.parts.clock.now()))

    def settle(self, watermark: int) -> Effects:
        """Let time have got to ``watermark`` (seconds)."""
        now, until = self.spine.parts.clock.now(), START + watermark * SECOND
        effects = self.write(self._assessor().settle(self.detectors, until, now))
        return self.settle(watermark) if effects.more else effects

    def write(self, effects: Effects) -> Effects:
        """Write what a step changes."""

        def work(tx: object) -> None:
            assert write_notes(tx, self.correlations, effects)  # type: ignore[arg-type]
            write_effects(tx, self.alerts, effects)  # type: ignore[arg-type]

        self.spine.parts.transactions.run(work)
        return effects

    def _assessor(self) -> Assessor:
        return Assessor(self.spine.parts.transactions, self.logs, self.alerts, self.correlations)

    def all_alerts(self) -> list[Alert]:
        """Return every alert there is."""
        page = PageRequest(limit=1_000)
        rows = self.spine.parts.transactions.read(
            lambda tx: self.alerts.page(tx, ROOT_ORG, AlertFilter(), page)
        )
        return list(rows)

    def live(self) -> set[Extent]:
        """Return what holds: alerts that were neither merged nor taken back."""
        return {
            (
                alert.title,
                alert.group,
                (alert.first_at - START) // SECOND,
                (alert.last_at - START) // SECOND,
                alert.event_count,
            )
            for alert in self.all_alerts()
            if alert.status not in GONE
        }

    def expected(
        self, events: Sequence[LogEvent], watermark: int, since: int | None = None
    ) -> set[Extent]:
        """Return what one look at all ``events`` finds."""
        found: set[Extent] = set()
        batch = batch_of(events)
        for detector in self.detectors:
            findings, _ = Plan([detector]).find(batch)
            begin = None if since is None else START + since * SECOND
            episodes, _ = chained_episodes(
                detector.chain, hits_of(batch, findings), START + watermark * SECOND, begin
            )
            found |= {
                (
                    detector.header.title,
                    each.group,
                    (each.first_at - START) // SECOND,
                    (each.last_at - START) // SECOND,
                    len(each.matches),
                )
                for each in episodes
            }
        return found

    def empty(self) -> None:
        """Forget everything."""
        self.logs = FakeLogStore()
        with self.spine.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))


def event(at: int, name: str, **fields: str) -> LogEvent:
    """Return an event of log source ``test``."""
    values = {"event.dataset": "test", **fields}
    when = START + at * SECOND
    return LogEvent(name, "test", when, when, values, name.encode())


@contextmanager
def correlation_site(home: Path, *texts: str) -> Iterator[CorrelationSite]:
    """Open a site with the correlations in ``texts``; their rules raise nothing themselves."""
    home.mkdir(exist_ok=True)
    spine = database_spine(home)
    files = [RuleFile(f"{number}.yml", text.encode()) for number, text in enumerate(texts)]
    rules = compile_rules(files)
    detectors, problems = detectors_of(rules)
    assert (*rules.problems, *problems) == ()
    detectors = tuple(each for each in detectors if each.correlation is not None)
    try:
        yield CorrelationSite(
            spine, FakeLogStore(), detectors, DatabaseAlerts(), DatabaseCorrelations()
        )
    finally:
        spine.close()
