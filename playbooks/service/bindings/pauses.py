"""The switch that stops every binding at once; to go on takes another person."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from playbooks.core.texts import bounded
from playbooks.errors.bindings import PauseRefused
from playbooks.models.bindings import Pause
from playbooks.service.bindings.automatic import AutomaticRuns
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import DAY
from secops.kernel.permissions.playbooks import BINDING_APPROVE, BINDING_PAUSE, BINDING_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "playbooks.resume_bindings"
MAX_REASON: Final = 500


class PauseService:
    """Pauses at once, resumes by approval. The root organisation's switch stops everybody."""

    def __init__(self, surroundings: Surroundings, automatic: AutomaticRuns) -> None:
        self._s = surroundings
        self._automatic = automatic

    def show_pause(self, actor: Actor) -> Pause:
        """Return the switch that counts for the caller's organisation."""
        self._s.parts.access.require(actor, BINDING_READ, "binding:*")
        return self._s.parts.transactions.read(lambda tx: self.counting(tx, actor.org_id))

    def counting(self, tx: Transaction, org_id: str) -> Pause:
        """Return the organisation's switch, or the root's while that one is off."""
        root = self._s.stores.autonomy.pauses.pause(tx, ROOT_ORG)
        return root if root.paused else self._s.stores.autonomy.pauses.pause(tx, org_id)

    def pause_bindings(self, actor: Actor, reason: str) -> Pause:
        """Stop every binding of the caller's organisation now.

        Runs that a binding ordered and that have not begun are cancelled with it.
        """
        self._s.parts.access.require(actor, BINDING_PAUSE, "binding:*")
        why = bounded(reason, MAX_REASON, "reason")

        def work(tx: Transaction) -> Pause:
            before = self._s.stores.autonomy.pauses.pause(tx, actor.org_id)
            after = Pause(actor.org_id, paused=True, changed_by=actor.id)
            after = replace(after, changed_at=tx.now, reason=why)
            self._s.stores.autonomy.pauses.switch(tx, after, was=before)
            whose = None if actor.org_id == ROOT_ORG else actor.org_id
            stopped = self._automatic.stop_unstarted(tx, actor, whose)
            details = {"stopped": stopped, "was_paused": before.paused}
            target = f"organisation:{actor.org_id}"
            tx.record(Act("playbooks.pause_bindings", actor, target, details=details))
            return after

        return self._s.parts.transactions.run(work)

    def request_resume(self, actor: Actor, reason: str) -> Pause:
        """Ask that bindings go on; raise ``PauseRefused`` if they do, or somebody asked."""
        self._s.parts.access.require(actor, BINDING_PAUSE, "binding:*")
        why = bounded(reason, MAX_REASON, "reason")
        approval_id = self._s.parts.ids.new("apr")

        def work(tx: Transaction) -> Pause:
            before = self._s.stores.autonomy.pauses.pause(tx, actor.org_id)
            if not before.paused or self._waits(tx, before):
                msg = "it is not paused, or a request to go on waits"
                raise PauseRefused(msg)
            after = replace(before, approval_id=approval_id)
            self._s.stores.autonomy.pauses.switch(tx, after, was=before)
            self._s.parts.approvals.request(
                tx,
                Approval(
                    id=approval_id,
                    org_id=actor.org_id,
                    kind=APPROVAL_KIND,
                    subject=f"organisation:{actor.org_id}",
                    subject_hash=_subject(before),
                    permission=BINDING_APPROVE,
                    requester_id=actor.id,
                    requested_at=tx.now,
                    expires_at=tx.now + DAY,
                    reason=why,
                ),
            )
            tx.record(Act("playbooks.request_resume", actor, f"organisation:{actor.org_id}"))
            return after

        return self._s.parts.transactions.run(work)

    def decide_resume(self, actor: Actor, *, grant: bool, reason: str = "") -> Pause:
        """Let bindings go on, or leave them paused; nobody decides their own request."""
        self._s.parts.access.require(actor, BINDING_APPROVE, "binding:*")

        def work(tx: Transaction) -> Pause:
            before = self._s.stores.autonomy.pauses.pause(tx, actor.org_id)
            if not before.paused or not before.approval_id:
                msg = "nobody asked to go on"
                raise PauseRefused(msg)
            approvals, why = self._s.parts.approvals, reason.strip()[:MAX_REASON]
            approvals.decide(tx, before.approval_id, actor, grant=grant, reason=why)
            after = replace(before, approval_id="")
            if grant:
                approvals.use(tx, before.approval_id, _subject(before))
                after = Pause(actor.org_id, paused=False, changed_by=actor.id)
                after = replace(after, changed_at=tx.now, reason=why)
            self._s.stores.autonomy.pauses.switch(tx, after, was=before)
            deed = "resume_bindings" if grant else "reject_resume"
            tx.record(Act(f"playbooks.{deed}", actor, f"organisation:{actor.org_id}"))
            return after

        target = f"organisation:{actor.org_id}"
        with refusals_recorded(self._s.parts, "playbooks.resume_bindings", actor, target):
            return self._s.parts.transactions.run(work)

    def _waits(self, tx: Transaction, pause: Pause) -> bool:
        return bool(pause.approval_id) and (
            self._s.parts.approvals.get(tx, pause.approval_id).state == "pending"
        )


def _subject(pause: Pause) -> str:
    """Return what the request to go on is bound to: this pause, and no later one."""
    return f"{pause.org_id}:{pause.changed_at}"
