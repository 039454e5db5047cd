"""Bearing a risk: asked for by one person, accepted by another, until a day within a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.core import risks as core
from audits.errors import ChangedMeanwhile
from audits.errors.rectification import RiskStateRefused
from audits.models.risks import Risk
from audits.service.rectification_desk import (
    RectificationDesk,
    note_of,
    reason_of,
    require_person,
)
from audits.service.risks.register import current_risk, tell_risk
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import ACCEPT_RISK, MANAGE_RISKS
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "audits.risk_acceptance"
MAX_DAYS: Final = 366
_APPROVAL: Final = 14 * DAY


@dataclass(frozen=True, slots=True)
class AcceptanceService:
    """Asks for and decides acceptance."""

    desk: RectificationDesk

    def ask_acceptance(
        self, actor: Actor, risk_id: str, version: int, reason: str, until: int
    ) -> Risk:
        """Ask somebody else to accept the risk until ``until``, at most a year ahead."""
        why, approval_id = reason_of(reason), self.desk.parts.ids.new("apr")

        def work(tx: Transaction) -> Risk:
            if not tx.now < until <= tx.now + MAX_DAYS * DAY:
                raise Invalid(f"an acceptance ends ahead, within {MAX_DAYS} days")
            before = current_risk(self.desk, tx, actor, risk_id, version)
            after = core.ask_acceptance(before, actor.id, why, until, approval_id)
            self.desk.stores.risks.change(tx, after)
            self._ask(tx, actor, after)
            tell_risk(self.desk, tx, actor, after, "ask_acceptance", note=why)
            return after

        return self.desk.run(actor, MANAGE_RISKS, "ask_acceptance", f"risk:{risk_id[:60]}", work)

    def decide_acceptance(
        self, actor: Actor, risk_id: str, digest: str, *, grant: bool, reason: str = ""
    ) -> Risk:
        """Accept, or refuse to accept, exactly what ``digest`` names.

        Raises ``SelfApproval`` for whoever asked and for the risk's owner, by any account.
        """
        why = note_of(reason)

        def work(tx: Transaction) -> Risk:
            require_person(actor)
            before = self.desk.stores.risks.get(tx, actor.org_id, risk_id)
            if not before.waits:
                raise RiskStateRefused("nobody asked for its acceptance")
            if not before.digest == digest == core.acceptance_digest(before):
                raise ChangedMeanwhile(f"{before.id} is not what was looked at")
            approvals = self.desk.parts.approvals
            if grant:
                hands = [account for account in (before.asked_by, before.owner_id) if account]
                approvals.require_another(tx, actor, hands)
            approvals.decide(tx, before.approval_id, actor, grant=grant, reason=why)
            if grant:
                approvals.use(tx, before.approval_id, digest)
            after = core.decide_acceptance(before, actor.name, actor.id, tx.now, grant=grant)
            self.desk.stores.risks.change(tx, after)
            deed = "accept_risk" if grant else "refuse_risk"
            details = {"sha256": digest, "until": before.asked_until}
            tell_risk(self.desk, tx, actor, after, deed, note=why, details=details)
            return after

        return self.desk.run(actor, ACCEPT_RISK, "decide_acceptance", f"risk:{risk_id[:60]}", work)

    def _ask(self, tx: Transaction, actor: Actor, risk: Risk) -> None:
        self.desk.parts.approvals.request(
            tx,
            Approval(
                id=risk.approval_id,
                org_id=risk.org_id,
                kind=APPROVAL_KIND,
                subject=f"risk:{risk.id}",
                subject_hash=risk.digest,
                permission=ACCEPT_RISK,
                requester_id=actor.id,
                requested_at=tx.now,
                expires_at=min(tx.now + _APPROVAL, risk.asked_until),
                reason=risk.asked_reason[:500],
            ),
        )
