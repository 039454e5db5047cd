"""What correlations did not count: nothing is left out silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.models.correlation import CorrelationCounts
from detectors.ports import CorrelationStore
from detectors.service.rules import RuleService
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ


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

    def list_uncounted(self, actor: Actor) -> Sequence[TitledCounts]:
        """Return what enabled correlations did not count, by title, the present versions only.

        Events without a group-by field, without a value to be measured, in too many groups;
        and how many came so late that windows had to be judged again.
        """
        self.parts.access.require(actor, RULE_READ)
        titles = {}
        for detector in self.rules.enabled():
            for correlation in detector.chain:
                inner = correlation is not detector.correlation
                place = f"/{correlation.header.id}" if inner else ""
                key = (f"{detector.header.id}{place}", detector.version)
                titles[key] = correlation.header.title
        found = self.parts.transactions.read(self.store.counts)
        mine = [
            TitledCounts(titles[each.correlation, each.version], each)
            for each in found
            if (each.correlation, each.version) in titles
        ]
        return sorted(mine, key=lambda each: (each.title, each.counts.correlation))


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
