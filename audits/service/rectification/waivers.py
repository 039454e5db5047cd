"""Waivers: asked for by one person, approved by another, for a while; verdicts stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from audits.core.rectification import waiver_digest
from audits.errors import ChangedMeanwhile, TooManyKept
from audits.errors.rectification import WaiverStateRefused
from audits.models.evidence import WHOLE
from audits.models.rectification import HistoryEvent, Waiver, WaiverState
from audits.models.systems import THIS_INSTANCE
from audits.service.rectification_desk import (
    RectificationDesk,
    note_of,
    reason_of,
    require_person,
    require_version,
)
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.audits import (
    APPROVE_WAIVER,
    READ_RECTIFICATION,
    REQUEST_WAIVER,
)
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "audits.waiver"
MAX_DAYS: Final = 366
MAX_WAITING: Final = 200


@dataclass(frozen=True, slots=True)
class NewWaiver:
    """What is to be borne until ``expires_at``, and why. ``object_id`` is an asset or ``WHOLE``."""

    item_id: str
    reason: str
    expires_at: int
    standard: str = "gbt22239"
    system_id: str = THIS_INSTANCE
    object_id: str = WHOLE


@dataclass(frozen=True, slots=True)
class WaiverService:
    """Asks for, decides, revokes and lists waivers."""

    desk: RectificationDesk

    def request_waiver(self, actor: Actor, new: NewWaiver) -> Waiver:
        """Ask another person to bear a finding for at most a year."""
        target = f"item:{new.item_id[:60]}"
        self.desk.parts.access.require(actor, REQUEST_WAIVER, target)
        if new.item_id not in {item.id for item in self.desk.catalogues.read(new.standard).items}:
            raise Invalid(f"{new.standard} has no item {new.item_id[:60]!r}")
        scope = self.desk.scopes.scope(actor, new.system_id)
        names = {WHOLE: "", **{asset.id: asset.name for asset in scope.assets}}
        if new.object_id not in names:
            raise Invalid(f"the system has no asset {new.object_id[:60]!r}")
        reason, ids = reason_of(new.reason), self.desk.parts.ids

        def work(tx: Transaction) -> Waiver:
            if not tx.now < new.expires_at <= tx.now + MAX_DAYS * DAY:
                raise Invalid(f"a waiver ends ahead, within {MAX_DAYS} days")
            if self.desk.stores.waivers.waiting(tx, actor.org_id) >= MAX_WAITING:
                raise TooManyKept(f"{MAX_WAITING} waivers wait for a decision")
            waiver = Waiver(
                id=ids.new("wvr"),
                org_id=actor.org_id,
                system_id=scope.system.id,
                standard=new.standard,
                item_id=new.item_id,
                object_id=new.object_id,
                object_name=names[new.object_id],
                reason=reason,
                requested_by=actor.id,
                requested_name=actor.name,
                requested_at=tx.now,
                expires_at=new.expires_at,
                approval_id=ids.new("apr"),
                digest="",
            )
            waiver = replace(waiver, digest=waiver_digest(waiver))
            self.desk.stores.waivers.add(tx, waiver)
            self._ask(tx, waiver)
            self._tell(tx, actor, waiver, "request_waiver", reason)
            return waiver

        return self.desk.run(actor, REQUEST_WAIVER, "request_waiver", target, work)

    def decide_waiver(
        self, actor: Actor, waiver_id: str, digest: str, *, grant: bool, reason: str = ""
    ) -> Waiver:
        """Approve or reject exactly what ``digest`` names.

        Raises ``SelfApproval`` for whoever asked, by whichever account of theirs.
        """
        why = note_of(reason)

        def work(tx: Transaction) -> Waiver:
            require_person(actor)
            before = self.desk.stores.waivers.get(tx, actor.org_id, waiver_id)
            self._require(tx, before, ("pending",))
            if not before.digest == digest == waiver_digest(before):
                raise ChangedMeanwhile(f"{before.id} is not what was looked at")
            approvals = self.desk.parts.approvals
            if grant:
                approvals.require_another(tx, actor, [before.requested_by])
            approvals.decide(tx, before.approval_id, actor, grant=grant, reason=why)
            if grant:
                approvals.use(tx, before.approval_id, digest)
            return self._end(tx, actor, before, "approved" if grant else "rejected", why)

        target = f"waiver:{waiver_id[:60]}"
        return self.desk.run(actor, APPROVE_WAIVER, "decide_waiver", target, work)

    def revoke_waiver(self, actor: Actor, waiver_id: str, version: int, reason: str) -> Waiver:
        """End a waiver before its time, or withdraw one that waits."""
        why = reason_of(reason)

        def work(tx: Transaction) -> Waiver:
            before = self.desk.stores.waivers.get(tx, actor.org_id, waiver_id)
            require_version(before, version)
            self._require(tx, before, ("pending", "approved"))
            if before.state == "pending":
                approvals = self.desk.parts.approvals
                approvals.decide(tx, before.approval_id, actor, grant=False, reason=why)
            return self._end(tx, actor, before, "revoked", why)

        target = f"waiver:{waiver_id[:60]}"
        return self.desk.run(actor, REQUEST_WAIVER, "revoke_waiver", target, work)

    def list_waivers(self, actor: Actor, page: PageRequest, system_id: str = "") -> Page[Waiver]:
        """Return waivers, also those that are over, the last asked for first."""
        self.desk.parts.access.require(actor, READ_RECTIFICATION, "waiver:*")
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.waivers.page(tx, actor.org_id, system_id, page)
        )

    def show_waiver(self, actor: Actor, waiver_id: str) -> tuple[Waiver, Sequence[HistoryEvent]]:
        """Return a waiver and its history."""
        self.desk.parts.access.require(actor, READ_RECTIFICATION, f"waiver:{waiver_id[:60]}")

        def read(tx: Transaction) -> tuple[Waiver, Sequence[HistoryEvent]]:
            waiver = self.desk.stores.waivers.get(tx, actor.org_id, waiver_id)
            return waiver, self.desk.stores.history.of(tx, actor.org_id, waiver.id)

        return self.desk.parts.transactions.read(read)

    def _ask(self, tx: Transaction, waiver: Waiver) -> None:
        self.desk.parts.approvals.request(
            tx,
            Approval(
                id=waiver.approval_id,
                org_id=waiver.org_id,
                kind=APPROVAL_KIND,
                subject=f"waiver:{waiver.id}",
                subject_hash=waiver.digest,
                permission=APPROVE_WAIVER,
                requester_id=waiver.requested_by,
                requested_at=tx.now,
                expires_at=waiver.decided_until,
                reason=waiver.reason[:500],
            ),
        )

    def _require(self, tx: Transaction, waiver: Waiver, states: Sequence[WaiverState]) -> None:
        state = waiver.state_at(tx.now)
        if state not in states:
            raise WaiverStateRefused(f"{waiver.id} is {state}")

    def _end(
        self, tx: Transaction, actor: Actor, before: Waiver, state: WaiverState, why: str
    ) -> Waiver:
        after = replace(
            before,
            state=state,
            decided_by=actor.id,
            decided_name=actor.name,
            decided_at=tx.now,
            decision=why,
            version=before.version + 1,
        )
        self.desk.stores.waivers.change(tx, after)
        self._tell(tx, actor, after, _DEEDS[state], why)
        return after

    def _tell(self, tx: Transaction, actor: Actor, waiver: Waiver, deed: str, note: str) -> None:
        details = {
            "system": waiver.system_id,
            "standard": waiver.standard,
            "item": waiver.item_id,
            "object": waiver.object_id,
            "expires_at": waiver.expires_at,
            "sha256": waiver.digest,
        }
        about = f"waiver:{waiver.id}"
        self.desk.tell(tx, actor, about, deed, waiver.state, note=note, details=details)


_DEEDS: Final = {
    "approved": "approve_waiver",
    "rejected": "reject_waiver",
    "revoked": "revoke_waiver",
}
