"""Replay: today's rule asked again about an alert's own events, or about its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.correlation.chains import chained_episodes
from detectors.core.detection import Detector, Finding, Plan, hits_of
from detectors.core.engine.tables import batch_of
from detectors.models.alert_page import Replay, ReplayAnswer
from detectors.models.alerts import Alert
from detectors.ports import ExceptionStore
from detectors.service.rules.exceptions import Excepter
from detectors.service.rules.standing import RuleStandings
from detectors.service.triage.alerts import AlertService
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.logs import And, Batch, LogEvent, LogStore, StoredEvent, Window
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ

MAX_EVENTS: Final = 5_000
"""Events of an alert's time that are asked about, the newest."""
_NEEDS_HISTORY: Final = frozenset({"absence", "first_seen"})
_EVERYTHING: Final = And(())


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the rule was asked about; ``cut`` where the time holds more.

    ``whole`` is False where events that a correlation counted may be missing among them.
    """

    events: tuple[LogEvent, ...]
    cut: bool = False
    whole: bool = True


@dataclass(frozen=True, slots=True)
class ReplayService:
    """Asks rules again; it raises no alert and writes nothing."""

    parts: Parts
    logs: LogStore
    alerts: AlertService
    standings: RuleStandings
    exceptions: ExceptionStore

    def replay_alert(self, actor: Actor, alert_id: str) -> Replay:
        """Say whether today's rule still finds what the alert is about; ``AlertNotFound``.

        Raises ``Forbidden`` for who may not see rules.
        """
        self.parts.access.require(actor, RULE_READ, f"alert:{alert_id}")
        shown = self.alerts.show_alert(actor, alert_id)
        alert = shown.alert
        detector = self.standings.find_detector(alert.rule_id)
        why = _impossible(alert, detector)
        if detector is None or why is not None:
            return _answer(alert, detector, ("not_possible", 0), _Asked(()), why or _GONE)
        asked = self._asked(alert, shown.events)
        if not asked.events:
            return _answer(alert, detector, ("not_possible", 0), asked, _NO_EVENTS)
        return self._replayed(alert, detector, asked)

    def _asked(self, alert: Alert, events: Sequence[StoredEvent]) -> _Asked:
        """Return the alert's events; where it does not keep them all, those of its time."""
        if len(events) >= alert.event_count or alert.kind != "correlation":
            return _Asked(tuple(stored.event for stored in events))
        window = Window(alert.first_at, alert.last_at + 1)
        found = self.logs.search(_EVERYTHING, window, MAX_EVENTS + 1)
        oldest_first = sorted(found[:MAX_EVENTS], key=lambda each: (each.event.at, each.seq))
        cut, gone = len(found) > MAX_EVENTS, len(events) < len(set(alert.event_ids))
        return _Asked(tuple(each.event for each in oldest_first), cut, not (cut or gone))

    def _replayed(self, alert: Alert, detector: Detector, asked: _Asked) -> Replay:
        batch = batch_of(asked.events)
        findings, failures = Plan([detector], self.parts.clock.monotonic).find(batch)
        if failures:
            why = Text(f"规则无法执行:{failures[0].why}", f"the rule fails: {failures[0].why}")
            return _answer(alert, detector, ("not_possible", 0), asked, why)
        hits = len({finding.row for finding in findings})
        if not _fires(detector, batch, findings, alert):
            return _denied(alert, detector, ("matches_not", hits), asked, _NO_MORE)
        active = self.parts.transactions.read(self.exceptions.active)
        mine = [each for each in active if each.org_id == alert.org_id]
        left, _ = Excepter().spare(batch, findings, mine)
        if not _fires(detector, batch, left, alert):
            return _denied(alert, detector, ("excepted", hits), asked, _EXCEPTED)
        return _answer(alert, detector, ("matches", hits), asked, _STILL)


_GONE: Final = Text("规则已不在本实例中", "the rule is no longer on this instance")
_NO_EVENTS: Final = Text(
    "原始事件已超过留存期,无从重放", "the events are past their retention: nothing to replay"
)
_NO_MORE: Final = Text(
    "现行规则对这些事件不再告警", "today's rule raises nothing for these events any more"
)
_EXCEPTED: Final = Text(
    "现行规则仍符合,但生效中的例外会将其隐去",
    "today's rule still fits, but an exception in force takes it away",
)
_PARTLY: Final = Text(
    "事件已不全,或只看了一部分:在这部分事件中不告警,不能据此断定",
    "not all events are left or were asked: that these raise nothing decides nothing",
)
_STILL: Final = Text("现行规则对这些事件仍会告警", "today's rule still raises for these events")
_JUDGED: Final = Text(
    "由异常检测模型判定,模型按当时的历史评分,不能只凭这些事件重放",
    "a model judged it by the history it had then: these events alone don't replay it",
)
_HISTORY: Final = Text(
    "此类关联规则依据更早的历史判定,不能只凭这些事件重放",
    "this kind of correlation rests on earlier history: these events alone don't replay it",
)


def _impossible(alert: Alert, detector: Detector | None) -> Text | None:
    if alert.kind in ("anomaly", "health", "control"):
        return _JUDGED if alert.kind == "anomaly" else _NO_EVENTS
    if detector is None:
        return _GONE
    kinds = {correlation.type for correlation in detector.chain}
    return _HISTORY if kinds & _NEEDS_HISTORY else None


def _fires(detector: Detector, batch: Batch, findings: Sequence[Finding], alert: Alert) -> bool:
    """Tell whether the detector raises for ``findings``; a correlation for the alert's group."""
    if detector.correlation is None:
        return bool(findings)
    until = max(batch.times) + 1
    episodes, _ = chained_episodes(
        detector.chain, hits_of(batch, findings), until, min(batch.times)
    )
    return any(tuple(each.group) == alert.group for each in episodes)


def _denied(
    alert: Alert,
    detector: Detector,
    found: tuple[ReplayAnswer, int],
    asked: _Asked,
    why: Text,
) -> Replay:
    """Say that nothing is raised, where what was asked about is enough to say so."""
    if not asked.whole:
        found, why = ("not_possible", found[1]), _PARTLY
    return _answer(alert, detector, found, asked, why)


def _answer(
    alert: Alert,
    detector: Detector | None,
    found: tuple[ReplayAnswer, int],
    asked: _Asked,
    why: Text,
) -> Replay:
    version = "" if detector is None else detector.version
    answer, hits = found
    return Replay(
        answer=answer,
        events=len(asked.events),
        hits=hits,
        version=version,
        same_version=version == alert.rule_version,
        cut=asked.cut,
        why=why,
    )
