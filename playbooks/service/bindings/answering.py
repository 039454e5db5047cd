"""Answers alerts as bindings say: once each, within budgets, never while paused.

All effects of one answer commit together: the answer (its key is binding and alert, so a
second delivery or a second node finds it taken), the budget, the rest of the entities, the
incident, the run. What stands in the way of a run makes a suggestion of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from playbooks.core.binding import (
    entity_of,
    fits,
    given_by,
    heard,
    in_force,
    is_restrained,
)
from playbooks.core.notifications.inbox import inbox_message
from playbooks.errors import AlertLinked, ChangedMeanwhile
from playbooks.models import AlertSummary, Incident, Notification, Plan, Run
from playbooks.models.bindings import Answer, AnswerOutcome, AutomaticRun, Autonomy, Binding
from playbooks.service.bindings.automatic import CONFIRM_WITHIN, AutomaticRuns, binding_actor
from playbooks.service.bindings.pauses import PauseService
from playbooks.service.incidents.linking import linked_incident
from playbooks.service.incidents.openers import incident_about, store_opened
from playbooks.service.playbooks.playbooks import PlaybookService
from playbooks.service.runs.planning import Planner, PlanRequest
from playbooks.service.runs.runs import approval_for, facts_of
from playbooks.service.surroundings import Surroundings
from secops.kernel.clock import HOUR, SECOND
from secops.kernel.errors import AuditUnavailable, SecopsError
from secops.kernel.events import AlertRaised, Delivery
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

TOTAL_PER_HOUR: Final = 20
"""Runs that all bindings of an organisation begin in an hour."""
ASKED_PER_HOUR: Final = 60
"""Runs for which bindings of an organisation ask an approval in an hour."""
_TRIES: Final = 3
_RESTS: Final = "entity_rests"


class _CoolingDown(Exception):
    """The entities rest: nothing of this answer is kept."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A run that could be made: its incident (``is_new``: to be opened) and its plan."""

    incident: Incident
    is_new: bool
    plan: Plan
    trusted: bool


class AlertAnswerer:
    """Answers each alert once per binding that fits it."""

    def __init__(
        self,
        surroundings: Surroundings,
        playbooks: PlaybookService,
        planner: Planner,
        automatic: AutomaticRuns,
        pauses: PauseService,
    ) -> None:
        self._s = surroundings
        self._playbooks = playbooks
        self._planner = planner
        self._automatic = automatic
        self._pauses = pauses

    def alert_raised(self, delivery: Delivery) -> None:
        """Answer the alert by every binding that fits it, in the order of their ids."""
        told = delivery.announcement
        if not isinstance(told, AlertRaised):
            return
        active = self._s.parts.transactions.read(
            lambda tx: self._s.stores.autonomy.bindings.active(tx, told.org_id)
        )
        now = self._s.parts.clock.now()
        wanted = [
            one
            for one in active
            if in_force(one.terms, now)
            and heard(one.terms, told.rule_id, told.severity, told.subjects)
        ]
        if not wanted:
            return
        alert = self._s.ports.alerts.get_alert(told.org_id, told.alert_id)
        if alert is not None:
            for binding in wanted:
                if fits(binding.terms, alert):
                    self._answer(binding, alert)

    def forget(self) -> bool:
        """Drop counters and rests that are over."""
        before = self._s.parts.clock.now() - HOUR
        self._s.parts.transactions.run(
            lambda tx: self._s.stores.autonomy.answers.forget(tx, before)
        )
        return False

    def _answer(self, binding: Binding, alert: AlertSummary) -> None:
        for last in reversed(range(_TRIES)):
            ready = self._prepare(binding, alert)

            def work(tx: Transaction, ready: _Ready | str = ready) -> None:
                self._store(tx, binding, alert, ready)

            try:
                self._s.parts.transactions.run(work)
            except _CoolingDown:
                self._s.parts.transactions.run(lambda tx: self._keep(tx, binding, alert, _RESTS))
            except (AlertLinked, ChangedMeanwhile):
                if not last:
                    raise  # the alert is delivered again: it is never left unanswered
                continue  # another node, or a person, was quicker: look again
            return

    def _prepare(self, binding: Binding, alert: AlertSummary) -> _Ready | str:
        """Return what could be run, or why nothing is: read outside of any transaction."""
        if binding.terms.autonomy == "suggest":
            return ""
        if reason := self._s.parts.transactions.read(lambda tx: self._in_the_way(tx, binding)):
            return reason
        incident, is_new = self._incident(binding, alert)
        if incident.drill:
            return "drill"
        try:
            playbook = self._playbooks.content(binding.org_id, binding.terms.content_hash)
            trusted = self._playbooks.is_trusted(binding.org_id, playbook)
            plan = self._planner.plan(
                PlanRequest(
                    requester_id=binding.proposed_by,
                    incident=incident,
                    playbook=playbook,
                    given=given_by(binding.terms, alert),
                    trusted=trusted,
                )
            )
        except AuditUnavailable:
            raise
        except SecopsError as error:
            return error.code
        return _Ready(incident, is_new, plan, trusted)

    def _incident(self, binding: Binding, alert: AlertSummary) -> tuple[Incident, bool]:
        found = self._s.parts.transactions.read(
            lambda tx: linked_incident(self._s, tx, alert.org_id, alert.id)
        )
        if found is not None:
            return found, False
        return incident_about(self._s, binding_actor(binding.org_id), alert), True

    def _in_the_way(self, tx: Transaction, binding: Binding) -> str:
        """Return why it is not worth planning a run; what counts is decided when it is stored."""
        if self._pauses.counting(tx, binding.org_id).paused:
            return "paused"
        answers = self._s.stores.autonomy.answers
        ways = [_asking(), _acting(binding)] if binding.terms.autonomy == "act" else [_asking()]
        if not any(answers.has_left(tx, binding.org_id, budgets) for budgets in ways):
            return "budget"
        return ""

    def _store(
        self, tx: Transaction, binding: Binding, alert: AlertSummary, ready: _Ready | str
    ) -> None:
        current = self._s.stores.autonomy.bindings.get(tx, binding.org_id, binding.id)
        if (current.version, current.state) != (binding.version, "active"):
            return  # changed or withdrawn since: what was approved then counts no more
        if isinstance(ready, str):
            self._keep(tx, binding, alert, ready)
            return
        if self._pauses.counting(tx, binding.org_id).paused:
            self._keep(tx, binding, alert, "paused")
            return
        answer = _answer_of(binding, alert, tx.now)
        if not self._s.stores.autonomy.answers.take(tx, answer):
            return
        autonomy, why = self._allowed(tx, binding, ready)
        if autonomy == "suggest":
            self._settle(tx, binding, replace(answer, reason=why))
            return
        rest = binding.terms.cooldown_s * SECOND
        if rest and not self._s.stores.autonomy.answers.rest(
            tx, answer, entity_of(binding.terms, alert), until=tx.now + rest
        ):
            raise _CoolingDown
        run = self._run(binding, ready, autonomy, tx.now)
        if ready.is_new:
            actor = binding_actor(binding.org_id)
            store_opened(self._s, tx, actor, ready.incident, alert)
        self._begin(tx, binding, run, autonomy)
        outcome: AnswerOutcome = "acted" if autonomy == "act" else "asked"
        settled = replace(answer, outcome=outcome, reason=why, run_id=run.id)
        self._settle(tx, binding, replace(settled, incident_id=run.incident_id))

    def _allowed(self, tx: Transaction, binding: Binding, ready: _Ready) -> tuple[Autonomy, str]:
        """Return how far this answer goes, and what held it back; spends the budget."""
        answers, plan, why = self._s.stores.autonomy.answers, ready.plan, ""
        if binding.terms.autonomy == "act":
            if plan.approvers > 1 or not ready.trusted or not is_restrained(plan):
                why = "not_restrained"
            elif answers.spend(tx, binding.org_id, _acting(binding)):
                return "act", ""
            else:
                why = "budget"
        if answers.spend(tx, binding.org_id, _asking()):
            return "approve", why
        return "suggest", "budget"

    def _run(self, binding: Binding, ready: _Ready, autonomy: Autonomy, now: int) -> Run:
        plan = ready.plan
        waits = autonomy == "approve"  # also where a person's own request would need no approval
        expires = now + plan.expires_s * SECOND
        return Run(
            id=self._s.parts.ids.new("run"),
            org_id=binding.org_id,
            incident_id=plan.incident_id,
            plan=plan,
            state="awaiting_approval" if waits else "approved",
            requester_id=binding.proposed_by,
            created_at=now,
            expires_at=expires,
            approval_id=self._s.parts.ids.new("apr") if waits else None,
            approver_id=None if waits else binding.approved_by,
            due_at=expires + 1 if waits else now,
        )

    def _begin(self, tx: Transaction, binding: Binding, run: Run, autonomy: Autonomy) -> None:
        if run.approval_id is not None:
            self._s.parts.approvals.request(tx, approval_for(run, tx.now))
        self._s.stores.runs.add(tx, run)
        if autonomy == "act" and run.plan.needs_approval:
            one = AutomaticRun(
                run_id=run.id,
                org_id=run.org_id,
                binding_id=binding.id,
                binding_version=binding.version,
                approval_id=self._s.parts.ids.new("apr"),
                approve_by=tx.now + CONFIRM_WITHIN,
            )
            self._automatic.begin(tx, run, one)

    def _keep(self, tx: Transaction, binding: Binding, alert: AlertSummary, reason: str) -> None:
        outcome: AnswerOutcome = "cooled_down" if reason == _RESTS else "suggested"
        answer = replace(_answer_of(binding, alert, tx.now), outcome=outcome, reason=reason)
        known = self._s.stores.incidents.incident_of(tx, alert.org_id, alert.id)
        answer = replace(answer, incident_id=known or "")
        if self._s.stores.autonomy.answers.take(tx, answer):
            self._settle(tx, binding, answer)

    def _settle(self, tx: Transaction, binding: Binding, answer: Answer) -> None:
        self._s.stores.autonomy.answers.settle(tx, answer)
        actor = binding_actor(binding.org_id)
        if answer.incident_id:
            text = {"acted": "自动处置", "asked": "自动申请处置"}.get(answer.outcome, "建议处置")
            place = (binding.org_id, answer.incident_id)
            self._s.tell(tx, actor, place, "run", f"{text}:{binding.terms.name}"[:200])
        if answer.reason == "budget":
            self._s.stores.runs.notify(tx, _budget_message(binding, answer))
        if answer.run_id:
            run = self._s.stores.runs.get(tx, binding.org_id, answer.run_id)
            details = {
                **facts_of(run),
                "binding_id": binding.id,
                "binding_version": binding.version,
                "outcome": answer.outcome,
                "approved_by": binding.approved_by,
            }
            target = f"alert:{answer.alert_id}"
            tx.record(Act("playbooks.answer_alert", actor, target, details=details))


def _acting(binding: Binding) -> Sequence[tuple[str, int]]:
    total = ("act", TOTAL_PER_HOUR)
    return (total, (f"act:{binding.id}", binding.terms.per_hour))


def _asking() -> Sequence[tuple[str, int]]:
    return (("ask", ASKED_PER_HOUR),)


def _answer_of(binding: Binding, alert: AlertSummary, now: int) -> Answer:
    return Answer(binding.id, alert.id, binding.org_id, now, "suggested")


def _budget_message(binding: Binding, answer: Answer) -> Notification:
    hour = answer.at // HOUR
    text = f"绑定“{binding.terms.name}”本小时的自动处置已达上限,其后的告警改为待审批或建议。"
    return inbox_message(
        f"ntf_{binding.id}_{hour}",
        (binding.org_id, answer.incident_id),
        ("自动响应已达每小时上限", text),
        key=f"{binding.id}:{hour}:budget",
        at=answer.at,
    )
