"""What an exception would have hidden: its condition asked of past alerts' events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from detectors.core.detection import Detector
from detectors.core.engine.asking import PATIENCE, Patience
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import batch_of, table_of
from detectors.errors import BadException
from detectors.models.alert_page import ExceptionPreview, HiddenAlert
from detectors.models.alerts import Alert, AlertFilter
from detectors.ports import AlertStore
from detectors.service.rules.exceptions import compile_condition, written_condition
from detectors.service.rules.rules import RuleService
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.logs import LogEvent, LogStore
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import EXCEPTION_REQUEST

PREVIEW_DAYS: Final = 30
MAX_ALERTS: Final = 1_000
MAX_EVENTS: Final = 20_000
PER_ALERT: Final = 50
"""Events of one alert that are asked about, its first."""
SECONDS: Final = 5.0
_SHOWN: Final = 50


@dataclass(slots=True)
class _Tally:
    alerts: int = 0
    events: int = 0
    hidden_events: int = 0
    unread: int = 0
    whole: int = 0
    partly: int = 0
    cut: bool = False
    shown: list[HiddenAlert] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExceptionPreviews:
    """Looks back; it writes nothing, and never longer than ``SECONDS``."""

    parts: Parts
    logs: LogStore
    alerts: AlertStore
    rules: RuleService

    def preview_exception(
        self, actor: Actor, rule_id: str, condition: Mapping[str, Any]
    ) -> ExceptionPreview:
        """Return which of the rule's alerts of 30 days the exception would have hidden.

        An alert none of whose events would be left is hidden; one that loses some, or whose
        events are not all there to be asked about, is named with the numbers, as a correlation
        may still reach its threshold. Raises ``BadException``, ``RuleNotFound``.
        """
        self.parts.access.require(actor, EXCEPTION_REQUEST, f"rule:{rule_id}")
        text = written_condition(condition)
        program = _program(text, self.rules.library().get(rule_id))
        since = self.parts.clock.now() - PREVIEW_DAYS * DAY
        end = self.parts.clock.monotonic() + SECONDS
        tally = _Tally()
        for page in self._pages(actor, AlertFilter(rule_id=rule_id, since=since), tally):
            self._ask(program, page, tally)
            if tally.events >= MAX_EVENTS or self.parts.clock.monotonic() >= end:
                tally.cut = True
                break
        return ExceptionPreview(
            rule_id=rule_id,
            condition=text,
            since=since,
            alerts=tally.alerts,
            hidden=tuple(tally.shown),
            hidden_whole=tally.whole,
            hidden_partly=tally.partly,
            events=tally.events,
            hidden_events=tally.hidden_events,
            unread=tally.unread,
            cut=tally.cut,
        )

    def _pages(self, actor: Actor, wanted: AlertFilter, tally: _Tally) -> Iterator[Sequence[Alert]]:
        page = PageRequest(MAX_LIMIT)
        while tally.alerts < MAX_ALERTS:
            read = partial(self.alerts.page, org_id=actor.org_id, wanted=wanted, page=page)
            rows = self.parts.transactions.read(read)
            if rows:
                yield rows[: page.limit]
            if len(rows) <= page.limit:
                return
            edge = rows[page.limit - 1]
            page = PageRequest(MAX_LIMIT, (edge.last_at, edge.id))
        tally.cut = True

    def _ask(self, program: Program, page: Sequence[Alert], tally: _Tally) -> None:
        wanted = {each.id: each.event_ids[:PER_ALERT] for each in page}
        ids = list(dict.fromkeys(each for events in wanted.values() for each in events))
        stored = {found.event.id: found.event for found in self.logs.get(ids)}
        fitting = self._fitting(program, list(stored.values()))
        tally.events += len(stored)
        tally.hidden_events += len(fitting)
        tally.unread += len(ids) - len(stored)
        for alert in page:
            tally.alerts += 1
            known = [each for each in wanted[alert.id] if each in stored]
            hidden = sum(each in fitting for each in known)
            if hidden:
                _note(tally, alert, len(known), hidden)

    def _fitting(self, program: Program, events: Sequence[LogEvent]) -> frozenset[str]:
        if not events:
            return frozenset()
        patience = Patience(self.parts.clock.monotonic, PATIENCE)
        found = evaluate(program, table_of(batch_of(events)), patience)
        if patience.failed:
            raise BadException(next(iter(patience.failed.values())))
        return frozenset(events[row].id for rows in found.values() for row in rows.tolist())


def _note(tally: _Tally, alert: Alert, events: int, hidden: int) -> None:
    found = HiddenAlert(
        alert.id, alert.title, alert.last_at, events, hidden, alert.status, alert.event_count
    )
    if found.whole:
        tally.whole += 1
    else:
        tally.partly += 1
    if len(tally.shown) < _SHOWN:
        tally.shown.append(found)


def _program(condition: str, detector: Detector) -> Program:
    """Return the condition's questions, as each log source of the detector's rules reads it."""
    logsources = {str(r.header.logsource): r.header.logsource for r in detector.rules}
    return Program([compile_condition(condition, each) for each in logsources.values()])
