"""Evidence on detection: rules that run, models, alerts and who handles them, personal data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Final

from audits.models.evidence import Fact
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.anomalies import MODEL_KINDS
from detectors.models.rules import Severity
from detectors.service import DetectorsServices
from detectors.service.triage.alert_views import due_alerts
from iam.service import IamServices
from playbooks.service import PlaybooksServices
from secops.bridges.evidence.looking import Look, Looks, Sight, holders_of, of_events
from secops.kernel.clock import DAY, SECOND
from secops.kernel.pages import every_item
from secops.kernel.permissions import roles_with
from secops.kernel.permissions.detectors import LOG_REVEAL, LOG_TRACE

SEVERE: Final[tuple[Severity, ...]] = ("high", "critical")
_LENGTH: Final = 30 * DAY
_REPORTED: Final = DAY
"""Policy: within a day a severe alert belongs to an incident, or is closed."""
_MOST: Final = 10_000
_SIGNED_IN: Final = "event.action:iam.sign_in AND event.outcome:success AND details.step:factor"
_JUDGED: Final = "event.action:iam.assess_sign_in AND NOT details.answer:unjudged"
_READS: Final = "event.action:(detectors.reveal_original OR detectors.trace_subject)"
_BULK: Final = "attack.exfiltration"


class DetectionEvidence:
    """Looks at detectors and their alerts; incidents are asked of the response plane."""

    def __init__(self, detectors: DetectorsServices, iam: IamServices) -> None:
        self._detectors = detectors
        self._iam = iam
        self._playbooks: PlaybooksServices | None = None

    def bind(self, playbooks: PlaybooksServices) -> None:
        """Ask this response plane too from now on."""
        self._playbooks = playbooks

    @property
    def looks(self) -> Looks:
        """What can be looked for."""
        return {
            "detector.rules": self._rules,
            "detector.anomaly": self._models,
            "detector.alert": self._newest,
            "alert.triage": self._triage,
            "alert.delivery": self._delivery,
            "incident.record": self._incidents,
            "data.access_log": self._reads,
        }

    def _rules(self, look: Look) -> Sight:
        rules = self._detectors.rules
        fed = self._detectors.coverage.show_sources(look.actor)
        facts: dict[str, Fact] = {
            "enabled": len(rules.enabled()),
            "broken": len(rules.list_problems(look.actor)),
            "unscanned": len(self._detectors.runs.list_unscanned(look.actor)),
            "fed_without_rule": sum(bool(each.events) and not each.enabled for each in fed),
        }
        return Sight(facts, "rules, what they have seen and what feeds them", link="/rules")

    def _models(self, look: Look) -> Sight:
        window = look.since(_LENGTH)
        listed = islice(every_item(partial(self._detectors.models.list_models, look.actor)), _MOST)
        active = [model for model in listed if model.state == "active"]
        facts: dict[str, Fact] = {
            "models": len(active),
            "models_missing": len(set(MODEL_KINDS) - {model.kind for model in active}),
        }
        if active:
            oldest = min(model.made_at for model in active)
            facts["oldest_model_days"] = max(0, look.at - oldest) // DAY
        step = DAY // SECOND
        signed = {key[0] for key in look.own.counts(_SIGNED_IN, window, step=step)}
        if signed:  # on a day on which nobody signed in there is nothing to judge
            judged = {key[0] for key in look.own.counts(_JUDGED, window, step=step)}
            facts["days_without_judgement"] = len(signed - judged)
        return of_events(facts, look.own.scoped(_JUDGED), window)

    def _alerts(self, look: Look, wanted: AlertFilter) -> Sequence[Alert]:
        listing = partial(self._detectors.alerts.list_alerts, look.actor, wanted)
        return [each for each in islice(every_item(listing), _MOST) if each.kind != "drill"]

    def _newest(self, look: Look) -> Sight | None:
        newest = next(
            iter(
                every_item(partial(self._detectors.alerts.list_alerts, look.actor, AlertFilter()))
            ),
            None,
        )
        if newest is None:
            return None
        facts: dict[str, Fact] = {"newest_days": max(0, look.at - newest.raised_at) // DAY}
        return Sight(facts, "the newest alert", link=f"/alerts/{newest.id}")

    def _severe(self, look: Look) -> list[Alert]:
        """Return severe alerts of 30 days, and those that have been open for longer."""
        since = look.at - _LENGTH

        def ask() -> list[Alert]:
            found = {
                alert.id: alert
                for severity in SEVERE
                for wanted in (
                    AlertFilter(severity=severity, since=since),
                    AlertFilter(severity=severity, status="open"),
                )
                for alert in self._alerts(look, wanted)
            }
            return list(found.values())

        return look.once("detectors.severe", ask)

    def _triage(self, look: Look) -> Sight:
        alerts = self._alerts(look, AlertFilter(since=look.at - _LENGTH))
        severe = self._severe(look)
        deadlines = self._detectors.alert_deadlines.list_alert_deadlines(look.actor)
        due = due_alerts(deadlines, severe)
        closed = [alert for alert in alerts if alert.status == "closed" and alert.kind != "health"]
        facts: dict[str, Fact] = {
            "alerts": len(alerts),
            "severe": len(severe),
            "severe_overdue": sum(each is not None and each.at < look.at for each in due),
            "closed_by_nobody": sum(not alert.closed_by for alert in closed),
        }
        return Sight(facts, "alerts of 30 days", look.since(_LENGTH), link="/alerts")

    def _delivery(self, look: Look) -> Sight | None:
        if self._playbooks is None:
            return None
        window = look.since(_LENGTH)
        state = self._playbooks.evidence.delivery_state(look.actor, window[0])
        facts: dict[str, Fact] = {
            "sent": state.sent,
            "severe_undelivered": state.urgent_undelivered,
            "channels": state.channels,
        }
        return Sight(facts, "messages of 30 days", window, link="/messages")

    def _incidents(self, look: Look) -> Sight | None:
        if self._playbooks is None:
            return None
        state = self._playbooks.evidence.incident_state(look.actor)
        late = [
            alert.id
            for alert in self._severe(look)
            if alert.status == "open" and look.at - alert.raised_at > _REPORTED
        ]
        unlinked = self._playbooks.evidence.alerts_without_incident(look.actor, late)
        facts: dict[str, Fact] = {
            "severe_without_incident": unlinked,
            "overdue": state.overdue,
            "closed": state.closed_handled,
            "digest": state.sha256,
        }
        if state.closed_handled:  # of no incident nothing can be missing
            facts |= {
                "closed_without_cause": state.closed_without_cause,
                "closed_without_process": state.closed_without_process,
                "closed_without_evidence": state.closed_without_evidence,
                "closed_without_lessons": state.closed_without_lessons,
            }
        return Sight(facts, "incidents, drills apart", link="/incidents")

    def _reads(self, look: Look) -> Sight | None:
        if not look.own.is_there:
            return None
        window = look.since(_LENGTH)
        held = holders_of(look, self._iam)
        may = {*roles_with(LOG_REVEAL), *roles_with(LOG_TRACE)}
        done = f"{_READS} AND event.outcome:success"
        by_reader = look.own.counts(done, window, "user.id")
        bulk = [
            detector
            for detector in self._detectors.rules.enabled()
            if _BULK in detector.header.tags
        ]
        facts: dict[str, Fact] = {
            "reads": by_reader.total(),
            "reads_by_others": sum(
                number
                for (_, reader), number in by_reader.items()
                if may.isdisjoint(held.get(reader, frozenset()))
            ),
            "reads_without_reason": look.own.count(
                f"{done} AND event.action:detectors.reveal_original AND NOT details.reason:*",
                window,
            ),
            "bulk_rules": len(bulk),
        }
        return of_events(facts, look.own.scoped(_READS), window)
