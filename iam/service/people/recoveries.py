"""A reset of credentials waits, its owner is told, and cancels it from any living session.

Somebody who talks two administrators into a reset (a lost phone, an urgent voice) would own the
account at once; so there is a day in which the true owner hears of it. A third administrator
shortens it to a quarter of an hour, no less, and that raises an alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.notices import RESET_ASKED, RESET_HASTENED
from iam.errors import InvalidRequest, ResetOver, ResetTooEarly
from iam.models.recovery import OwnRecovery, Recovery
from iam.service.changes import MAX_REASON
from iam.service.means import Means
from iam.service.persons import refuse_own, refuse_same_person
from iam.service.reach import require_reach
from iam.service.sealed import refuse_break_glass
from iam.service.sign_on.notices import Cause, notify_owner
from iam.service.sign_on.owning import owner_of
from secops.kernel.actors import Actor
from secops.kernel.clock import MINUTE, to_rfc3339
from secops.kernel.errors import NotFound
from secops.kernel.permissions.iam import EMERGENCY_APPROVE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

HASTENED: Final = 15 * MINUTE
"""What is left of the wait in an emergency: a notice still has time to arrive."""


def begin_recovery(
    means: Means, tx: Transaction, recovery_id: str, whose: tuple[str, str]
) -> Recovery:
    """Let a reset of ``whose`` (account and organisation) wait, and tell its owner."""
    account_id, org_id = whose
    lifetimes = means.options.lifetimes
    not_before = tx.now + lifetimes.reset_delay
    recovery = Recovery(
        id=recovery_id,
        org_id=org_id,
        account_id=account_id,
        state="waiting",
        asked_at=tx.now,
        not_before=not_before,
        expires_at=not_before + lifetimes.reset_request,
    )
    means.stores.recoveries.add(tx, recovery)
    notify_owner(means, tx, account_id, Cause(RESET_ASKED, recovery_id, not_before))
    return recovery


def require_waiting(means: Means, tx: Transaction, recovery_id: str) -> Recovery:
    """Return the recovery if it waits; raise ``ResetOver``."""
    found = means.stores.recoveries.get(tx, recovery_id)
    if found is None or found.state != "waiting" or found.expires_at <= tx.now:
        raise ResetOver
    return found


def take_recovery(means: Means, tx: Transaction, recovery_id: str) -> None:
    """Use the recovery up, once; raise ``ResetTooEarly`` or ``ResetOver``."""
    if means.stores.recoveries.carry_out(tx, recovery_id):
        return
    found = require_waiting(means, tx, recovery_id)
    msg = f"its owner may cancel it until {to_rfc3339(found.not_before)}"
    raise ResetTooEarly(msg, not_before=to_rfc3339(found.not_before))


@dataclass(frozen=True, slots=True)
class RecoveryService:
    """What owners see and cancel, and what a third administrator hastens."""

    means: Means

    def own_resets(self, actor: Actor) -> Sequence[OwnRecovery]:
        """Return the resets of the caller's own account that wait, oldest first."""
        means, account_id = self.means, owner_of(actor)

        def work(tx: Transaction) -> list[OwnRecovery]:
            found = []
            for each in means.stores.recoveries.waiting_of(tx, account_id):
                asked = means.stores.changes.get(tx, each.id)
                found.append(OwnRecovery(each, asked.reason, asked.state == "approved"))
            return found

        return means.parts.transactions.read(work)

    def is_waiting(self, actor: Actor) -> bool:
        """Tell whether a reset of the caller's account waits: for the banner on every page."""
        recoveries = self.means.stores.recoveries
        read = self.means.parts.transactions.read
        return bool(read(lambda tx: recoveries.waiting_of(tx, actor.id)))

    def cancel_reset(self, actor: Actor, reset_id: str) -> None:
        """Cancel a reset of the caller's own account; raise ``NotFound`` for any other.

        Any living session will do, however old: it only takes away.
        """
        means, account_id = self.means, owner_of(actor)

        def work(tx: Transaction) -> None:
            found = means.stores.recoveries.get(tx, reset_id)
            if found is None or found.account_id != account_id:
                msg = "no reset of yours has this id"
                raise NotFound(msg)
            if not means.stores.recoveries.end(tx, reset_id, "cancelled"):
                raise ResetOver
            note = (account_id, "cancelled by its owner")
            means.stores.changes.decide(tx, reset_id, "withdrawn", note)
            details = {"approval": reset_id}
            tx.record(Act("iam.cancel_reset", actor, f"account:{account_id}", details=details))

        means.parts.transactions.run(work)

    def hasten_reset(self, actor: Actor, reset_id: str, reason: str) -> Recovery:
        """Shorten the wait of an approved reset to a quarter of an hour, for an emergency.

        Raises ``SelfApproval`` for whoever asked or approved, whichever account they use,
        ``BreakGlassKept`` for an emergency account, ``Forbidden`` for one's own account and
        ``ResetOver`` where nothing is to be hastened.
        """
        means = self.means
        means.parts.access.require(actor, EMERGENCY_APPROVE, f"approval:{reset_id}")
        if not reason.strip():
            msg = "an emergency has a reason"
            raise InvalidRequest(msg)

        def work(tx: Transaction) -> Recovery:
            # the two who asked and approved may hold its two envelopes: it is no third person
            refuse_break_glass(means, tx, actor.id)
            found = require_waiting(means, tx, reset_id)
            require_reach(means, tx, actor, found.org_id, "reset")
            refuse_own(means, tx, actor, found.account_id)
            asked = means.parts.approvals.get(tx, reset_id)
            if asked.state != "approved" or asked.approver_id is None:
                msg = "it is hastened once it has been approved"
                raise ResetOver(msg)
            refuse_same_person(means, tx, actor.id, (asked.requester_id, asked.approver_id))
            if not means.stores.recoveries.hasten(tx, reset_id, tx.now + HASTENED, actor.id):
                raise ResetOver
            cause = Cause(RESET_HASTENED, reset_id, tx.now + HASTENED)
            notify_owner(means, tx, found.account_id, cause)
            details = {"approval": reset_id, "reason": reason[:MAX_REASON]}
            target = f"account:{found.account_id}"
            tx.record(Act("iam.hasten_reset", actor, target, details=details))
            return require_waiting(means, tx, reset_id)

        return means.parts.transactions.run(work)
