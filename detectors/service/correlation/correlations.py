"""What correlations did not count: nothing is left out silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from detectors.models.alerts import Alert, Reason
from detectors.models.correlation import CorrelationCounts
from detectors.ports import AlertStore, CorrelationStore
from detectors.service.rules.rule_alerts import cure, health_alert, open_alerts, open_health
from detectors.service.rules.rules import RuleService
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ
from secops.kernel.transactions import Transaction

UNCOUNTED: Final = "events_uncounted"


@dataclass(frozen=True, slots=True)
class TitledCounts:
    """The counts of an enabled correlation (or of one it refers to), with its title."""

    title: str
    counts: CorrelationCounts


@dataclass(frozen=True, slots=True)
class CorrelationService:
    """Use cases on correlations."""

    parts: Parts
    rules: RuleService
    store: CorrelationStore
    alerts: AlertStore

    def list_uncounted(self, actor: Actor) -> Sequence[TitledCounts]:
        """Return what enabled correlations did not count, by title, the present versions only.

        Events without a group-by field, without a value to be measured, in too many groups;
        and how many came so late that windows had to be judged again.
        """
        self.parts.access.require(actor, RULE_READ)
        return self._counted(self.parts.transactions.read(self.store.counts))

    def look(self) -> bool:
        """Raise a health alert for each correlation that leaves events out; close those cured.

        Counts only grow: an alert tells again, and one that somebody closed opens again, when
        twice as many were left out. Another version of the correlation counts anew.
        """
        now = self.parts.clock.now()

        def work(tx: Transaction) -> None:
            wanted = {
                alert.id: alert
                for alert in map(partial(_alert, now), self._counted(self.store.counts(tx)))
                if alert.event_count
            }
            known = self.alerts.known(tx, list(wanted))
            for identifier, alert in wanted.items():
                before = self.alerts.get(tx, identifier) if identifier in known else None
                if before is None or _is_news(alert, before):
                    open_health(tx, self.alerts, alert)
            for alert in open_alerts(tx, self.alerts, (UNCOUNTED,)):
                if alert.id not in wanted:
                    cure(tx, self.alerts, alert.id)

        self.parts.transactions.run(work)
        return False

    def _counted(self, found: Sequence[CorrelationCounts]) -> Sequence[TitledCounts]:
        titles = {}
        for detector in self.rules.enabled():
            for correlation in detector.chain:
                inner = correlation is not detector.correlation
                place = f"/{correlation.header.id}" if inner else ""
                key = (f"{detector.header.id}{place}", detector.version)
                titles[key] = correlation.header.title
        mine = [
            TitledCounts(titles[each.correlation, each.version], each)
            for each in found
            if (each.correlation, each.version) in titles
        ]
        return sorted(mine, key=lambda each: (each.title, each.counts.correlation))


def _alert(now: int, each: TitledCounts) -> Alert:
    """Return the alert of what a correlation left out; ``event_count`` is how much."""
    counts = each.counts
    left = counts.uncounted
    reasons = [
        Reason(what, "0", str(count))
        for what, count in (
            ("without_group_field", left.ungrouped),
            ("without_value", left.unmeasured),
            ("in_too_many_groups", left.cut),
        )
        if count
    ]
    title = f"关联规则有未计入的事件 / a correlation leaves events out: {each.title}"
    about = (counts.correlation, counts.version)
    alert = health_alert(UNCOUNTED, about, title, reasons, now)
    return replace(alert, event_count=left.ungrouped + left.unmeasured + left.cut)


def _is_news(alert: Alert, before: Alert) -> bool:
    is_another = alert.rule_version != before.rule_version
    return is_another or alert.event_count >= 2 * before.event_count


def uncounted_json(each: TitledCounts) -> dict[str, object]:
    """Return one entry as JSON."""
    counts = each.counts
    return {
        "correlation": counts.correlation,
        "version": counts.version,
        "title": each.title,
        "without_group_field": counts.uncounted.ungrouped,
        "without_value": counts.uncounted.unmeasured,
        "in_too_many_groups": counts.uncounted.cut,
        "late": counts.late,
    }
