"""What every change that takes two persons goes through, inside a unit of work.

It is stored as it was asked for, each field before and after, and its approval is of the
digest of exactly that. Where either side is no longer so, nothing is approved or carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from iam.core.differences import base_digest, change_digest
from iam.errors import StaleChange
from iam.models.changes import ChangeRequest, ChangeState
from iam.service.means import Means
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, NotPending
from secops.kernel.catalogue import Text
from secops.kernel.permissions import Permission
from secops.kernel.transactions import Transaction

MAX_REASON: Final = 500
_OWN: Final = "iam."


@dataclass(frozen=True, slots=True)
class Sides:
    """A target before and after a change, as JSON values; ``before`` is empty for a new thing."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """A change somebody asks for; ``life`` in microseconds, ``permission`` the approver's."""

    id: str
    org_id: str
    kind: str
    target: str
    sides: Sides
    permission: Permission
    life: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request. ``sides`` are how things are now; only a refusal has none.

    ``applied``: at once; ``approved``: whoever asked carries it out by ``use_change``.
    """

    state: ChangeState
    reason: str
    sides: Sides | None = None


class _Decides(Protocol):
    def __call__(self, actor: Actor, change: ChangeRequest, *, grant: bool, reason: str) -> None:
        """Approve or reject it as the family does."""


class _Looks(Protocol):
    def __call__(self, tx: Transaction, change: ChangeRequest) -> Sides:
        """Return the change as it would be carried out now; raise ``NotFound``."""


@dataclass(frozen=True, slots=True)
class ChangeDesk:
    """A kind of change that a family asks for and decides in its own words."""

    name: str
    title: Text
    permission: Permission
    look: _Looks
    decide: _Decides


def approval_kind(kind: str) -> str:
    """Return what the approval of such a change is called in the kernel's table."""
    return kind if kind.startswith(_OWN) else f"iam.change.{kind}"


def digest_of_change(change: ChangeRequest) -> str:
    """Return what the approval of a change is bound to."""
    return change_digest(change.kind, change.target, change.before, change.after)


def is_stale(change: ChangeRequest, sides: Sides) -> bool:
    """Tell whether a change would no longer do what was asked for."""
    now = change_digest(change.kind, change.target, sides.before, sides.after)
    return now != digest_of_change(change)


def ask_change(means: Means, tx: Transaction, actor: Actor, asking: Asking) -> ChangeRequest:
    """Keep a change, and the approval it waits for."""
    change = ChangeRequest(
        id=asking.id,
        org_id=asking.org_id,
        kind=asking.kind,
        target=asking.target,
        before=asking.sides.before,
        after=asking.sides.after,
        base=base_digest(asking.sides.before),
        reason=asking.reason[:MAX_REASON],
        requester_id=actor.id,
        requested_at=tx.now,
        expires_at=tx.now + asking.life,
    )
    means.stores.changes.add(tx, change)
    means.parts.approvals.request(
        tx,
        Approval(
            id=change.id,
            org_id=change.org_id,
            kind=approval_kind(change.kind),
            subject=change.target,
            subject_hash=digest_of_change(change),
            permission=asking.permission,
            requester_id=change.requester_id,
            requested_at=change.requested_at,
            expires_at=change.expires_at,
            reason=change.reason,
        ),
    )
    return change


def decide_change(
    means: Means, tx: Transaction, actor: Actor, change: ChangeRequest, verdict: Verdict
) -> None:
    """Decide it once; raise ``StaleChange``, ``NotPending``, ``SelfApproval`` or ``Forbidden``."""
    grant = verdict.sides is not None
    if change.state != "pending":
        raise NotPending
    if verdict.sides is not None:
        asked = means.parts.approvals.get(tx, change.id)
        if asked.subject_hash != digest_of_change(change) or is_stale(change, verdict.sides):
            raise StaleChange
    reason = verdict.reason[:MAX_REASON]
    means.parts.approvals.decide(tx, change.id, actor, grant=grant, reason=reason)
    if verdict.state == "applied":
        means.parts.approvals.use(tx, change.id, digest_of_change(change))
    if not means.stores.changes.decide(tx, change.id, verdict.state, (actor.id, reason)):
        raise NotPending


def use_change(means: Means, tx: Transaction, change: ChangeRequest, sides: Sides) -> None:
    """Consume an approved change, once; raise ``NotPending`` or ``StaleChange``.

    Whoever calls carries it out in the same unit of work.
    """
    if change.state != "approved":
        raise NotPending
    if is_stale(change, sides):
        raise StaleChange
    means.parts.approvals.use(tx, change.id, digest_of_change(change))
    if not means.stores.changes.complete(tx, change.id):
        raise NotPending
