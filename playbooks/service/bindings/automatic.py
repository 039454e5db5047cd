"""Runs that began before anybody approved them: confirmed in time, or taken back."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Final

from playbooks.core.notifications.inbox import inbox_message
from playbooks.errors import PlanChanged
from playbooks.errors.bindings import AutomaticRunSettled
from playbooks.models import Notification, Run
from playbooks.models.bindings import AutomaticRun
from playbooks.service.refusals import refusals_recorded
from playbooks.service.runs.runs import cancelled_run, facts_of, refuse_contained
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor, system_actor
from secops.kernel.approvals import Approval, NotPending
from secops.kernel.clock import MINUTE
from secops.kernel.errors import SecopsError
from secops.kernel.permissions.playbooks import RUN_APPROVE, RUN_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "playbooks.automatic_run"
CONFIRM_WITHIN: Final = 30 * MINUTE
"""What restricts may run first; approval comes after, within this time."""
BATCH: Final = 50
MAX_REASON: Final = 1_000
_NOTHING_LEFT: Final = ("failed", "cancelled", "compensated", "expired")


class AutomaticRuns:
    """Confirms and takes back what bindings began."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def show_automatic_run(self, actor: Actor, run_id: str) -> AutomaticRun | None:
        """Return what is kept of an automatic run; None for one that a person asked for."""
        self._s.parts.access.require(actor, RUN_READ, f"run:{run_id[:60]}")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.autonomy.pauses.get(tx, actor.org_id, run_id)
        )

    def begin(self, tx: Transaction, run: Run, one: AutomaticRun) -> None:
        """Keep that ``run`` begins unapproved, and ask for the approval after."""
        self._s.stores.autonomy.pauses.add(tx, one)
        self._s.parts.approvals.request(
            tx,
            Approval(
                id=one.approval_id,
                org_id=run.org_id,
                kind=APPROVAL_KIND,
                subject=f"run:{run.id}",
                subject_hash=run.plan.sha256,
                permission=RUN_APPROVE,
                requester_id=run.requester_id,
                requested_at=tx.now,
                expires_at=one.approve_by,
            ),
        )

    def confirm_run(
        self, actor: Actor, run_id: str, *, grant: bool, plan_sha256: str, reason: str = ""
    ) -> Run:
        """Approve after the fact what a binding began, or have it taken back now.

        Raises ``PlanChanged``, ``SelfApproval`` (who proposed the binding asked for the run, and
        nobody decides about an account of their own) or ``AutomaticRunSettled``.
        """
        self._s.parts.access.require(actor, RUN_APPROVE, f"run:{run_id[:60]}")

        def work(tx: Transaction) -> Run:
            run = self._s.stores.runs.get(tx, actor.org_id, run_id)
            one = self._s.stores.autonomy.pauses.get(tx, actor.org_id, run_id)
            if one is None or one.state != "waiting":
                msg = "no approval of this run waits"
                raise AutomaticRunSettled(msg)
            if not hmac.compare_digest(run.plan.sha256.encode(), plan_sha256.encode()):
                msg = "the hash is not that of the plan that was begun"
                raise PlanChanged(msg)
            refuse_contained(self._s, tx, actor, run)
            approvals, why = self._s.parts.approvals, reason[:MAX_REASON]
            approvals.decide(tx, one.approval_id, actor, grant=grant, reason=why)
            if not grant:
                return self._take_back(tx, actor, run, one, "rejected")
            approvals.use(tx, one.approval_id, run.plan.sha256)
            self._settle(tx, replace(one, state="confirmed", decided_by=actor.id))
            self._tell(tx, actor, run, "confirm_run", "事后批准自动处置")
            return run

        with refusals_recorded(self._s.parts, "playbooks.confirm_run", actor, f"run:{run_id[:60]}"):
            return self._s.parts.transactions.run(work)

    def take_back_overdue(self) -> bool:
        """Take back what nobody approved in time; True if there may be more now."""
        now = self._s.parts.clock.now()
        pauses = self._s.stores.autonomy.pauses
        overdue = self._s.parts.transactions.read(
            lambda tx: pauses.waiting(tx, None, before=now, limit=BATCH)
        )
        moved = False
        for one in overdue:
            actor = binding_actor(one.org_id)

            def work(tx: Transaction, one: AutomaticRun = one, actor: Actor = actor) -> None:
                run = self._s.stores.runs.get(tx, one.org_id, one.run_id)
                self._take_back(tx, actor, run, one, "not_approved_in_time")

            try:
                self._s.parts.transactions.run(work)
            except SecopsError:
                continue  # its runner moved it on: the next tick looks again
            moved = True
        return moved and len(overdue) == BATCH

    def stop_unstarted(self, tx: Transaction, actor: Actor, org_id: str | None) -> int:
        """Cancel waiting runs of ``org_id`` (None: all) that have not begun; return how many."""
        stopped = 0
        waiting = self._s.stores.autonomy.pauses.waiting(tx, org_id, before=None, limit=1_000)
        for one in waiting:
            run = self._s.stores.runs.get(tx, one.org_id, one.run_id)
            if run.started_at is None and run.state == "approved":
                self._take_back(tx, actor, run, one, "paused")
                stopped += 1
        return stopped

    def _take_back(
        self, tx: Transaction, actor: Actor, run: Run, one: AutomaticRun, why: str
    ) -> Run:
        self._settle(tx, replace(one, state="taken_back", decided_by=actor.id))
        after = run
        if run.state not in _NOTHING_LEFT:
            after = cancelled_run(self._s.stores.runs, tx, run, by=actor.id, why=why)
            self._s.stores.runs.change(tx, after, was=run)
        self._tell(tx, actor, run, "take_back_run", f"撤回自动处置:{why}")
        self._s.stores.runs.notify(tx, _message(run, why, tx.now))
        return after

    def _settle(self, tx: Transaction, one: AutomaticRun) -> None:
        if not self._s.stores.autonomy.pauses.decide(tx, one):
            raise NotPending

    def _tell(self, tx: Transaction, actor: Actor, run: Run, deed: str, text: str) -> None:
        self._s.tell(tx, actor, (run.org_id, run.incident_id), "run", text, run_id=run.id)
        tx.record(Act(f"playbooks.{deed}", actor, f"run:{run.id}", details=facts_of(run)))


def binding_actor(org_id: str) -> Actor:
    """Return the product as who acts for an organisation's bindings; it holds no role."""
    return system_actor("playbooks-bindings", org_id)


def _message(run: Run, why: str, now: int) -> Notification:
    return inbox_message(
        f"ntf_{run.id}",
        (run.org_id, run.incident_id),
        ("自动处置已撤回", f"运行 {run.id} 的自动处置已撤回:{why}"),
        key=f"{run.id}:taken_back",
        at=now,
    )
