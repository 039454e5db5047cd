"""A rule as it stands now: which version, since when, what its own tests say, how it is tuned."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from detectors.core.detection import Detector
from detectors.models.alert_page import RuleStanding
from detectors.models.alerts import Alert
from detectors.ports import ExceptionStore, SuppressionStore
from detectors.ports.alert_page import RuleSamples
from detectors.ports.history import RuleHistory
from detectors.service.rules.checks import Sample, Wanted, failures_of
from detectors.service.rules.exceptions import ANY_RULE
from detectors.service.rules.rules import RuleService
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ
from secops.kernel.transactions import Transaction

_KEPT: Final = 500
_FAILURES: Final = 5


@dataclass(slots=True)
class _Tested:
    """What samples said of rules, by detector; another text of a rule is another key."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    known: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleStandings:
    """Says how rules stand; a rule's samples are run once for each version of it."""

    parts: Parts
    rules: RuleService
    history: RuleHistory
    samples: RuleSamples
    exceptions: ExceptionStore
    suppressions: SuppressionStore
    _tested: _Tested = field(default_factory=_Tested)

    def find_detector(self, rule_id: str) -> Detector | None:
        """Return the detector of that id, None where it is gone."""
        return self.rules.library().find(rule_id)

    def standing_of(self, actor: Actor, alert: Alert) -> RuleStanding | None:
        """Return how the rule behind ``alert`` stands; None where ``actor`` may not see rules."""
        if not actor.may(RULE_READ):
            return None
        detector = self.find_detector(alert.rule_id)
        if detector is None:
            return RuleStanding(
                alert.rule_id,
                version="",
                same_version=False,
                enabled=False,
                since=None,
                decided_at=None,
                decided_by="",
                samples=0,
                failures=(),
            )
        shown = self.rules.show_rule(actor, alert.rule_id)
        samples, failures = self._test(detector)
        tuning, since = self.parts.transactions.read(
            lambda tx: (
                self._tuning(tx, alert.org_id, detector),
                self.history.first_evaluated(tx, detector.key),
            )
        )
        return RuleStanding(
            alert.rule_id,
            version=detector.version,
            same_version=detector.version == alert.rule_version,
            enabled=shown.enabled,
            since=since,
            decided_at=shown.decided.changed_at if shown.decided else None,
            decided_by=shown.decided.changed_by if shown.decided else "",
            samples=samples,
            failures=failures,
            tuning=tuning,
        )

    def _test(self, detector: Detector) -> tuple[int, tuple[str, ...]]:
        with self._tested.lock:
            known = self._tested.known.get(detector.key)
        if known is not None:
            return known
        samples = self._samples(detector)
        now = self.parts.clock.now()
        failures = [
            each.what for sample in samples for each in failures_of([detector], sample, now)
        ]
        tested = (len(samples), tuple(failures[:_FAILURES]))
        with self._tested.lock:
            if len(self._tested.known) >= _KEPT:
                self._tested.known.clear()
            self._tested.known[detector.key] = tested
        return tested

    def _samples(self, detector: Detector) -> Sequence[Sample]:
        found = self.samples.samples_of(detector.header.path)
        return [Sample(path, cast("Wanted", wanted), lines) for path, wanted, lines in found]

    def _tuning(self, tx: Transaction, org_id: str, detector: Detector) -> dict[str, int]:
        ids = {ANY_RULE, detector.header.id, *(rule.header.id for rule in detector.rules)}
        exceptions = [
            each
            for each in self.exceptions.active(tx)
            if each.org_id == org_id and each.rule_id in ids
        ]
        suppressions = [
            each
            for each in self.suppressions.active(tx)
            if each.org_id == org_id and each.rule_id in (ANY_RULE, detector.header.id)
        ]
        return {
            "exceptions": len(exceptions),
            "hidden_events": sum(each.hits for each in exceptions),
            "suppressions": len(suppressions),
        }
