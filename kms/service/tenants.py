"""One organisation's part of the pool: locked and opened again without the others noticing."""

from __future__ import annotations

from kms.errors.limits import TenantLocked
from kms.models.keys import POOL_ID
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Forbidden
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import POOL_LOCK
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_MAX_REASON = 500


class Tenants:
    """Locks tenants. The product's own keys and public verification are nobody's."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def demand_open(self, org_id: str) -> None:
        """Return if the organisation's keys may be used and seen; raise ``TenantLocked``."""
        if self.is_locked(org_id):
            raise TenantLocked

    def is_locked(self, org_id: str) -> bool:
        """Tell whether the organisation's keys are locked."""
        return self._parts.revocations.is_revoked("key", _revocation(org_id))

    def lock_tenant(self, actor: Actor, org_id: str, *, reason: str) -> None:
        """Lock one organisation's keys everywhere within a second; never refused for the ledger."""
        target = self._require(actor, org_id)
        act = Act("kms.lock_tenant", actor, target, details={"reason": reason[:_MAX_REASON]})
        restriction = Restriction("key", _revocation(org_id), act)
        self._parts.transactions.restrict(lambda _: None, restriction)

    def unlock_tenant(self, actor: Actor, org_id: str) -> None:
        """Let the organisation's keys be used again."""
        target = self._require(actor, org_id)

        def work(transaction: Transaction) -> None:
            self._parts.revocations.restore(transaction, "key", _revocation(org_id))
            transaction.record(Act("kms.unlock_tenant", actor, target))

        self._parts.transactions.run(work)

    def _require(self, actor: Actor, org_id: str) -> str:
        target = f"tenant:{org_id}"
        self._parts.access.require(actor, POOL_LOCK, target)
        demand_reach(actor, org_id)
        return target


def demand_reach(actor: Actor, org_id: str) -> None:
    """Return if ``org_id`` is the actor's own, or the actor is of the whole installation."""
    if actor.org_id not in (org_id, ROOT_ORG):
        msg = "this is another organisation's part of the pool"
        raise Forbidden(msg)


def demand_whole(actor: Actor) -> None:
    """Return if the actor is of the whole installation, whose the pool and its devices are."""
    if actor.org_id != ROOT_ORG:
        msg = "this is the whole installation's, not one organisation's"
        raise Forbidden(msg)


def _revocation(org_id: str) -> str:
    return f"{POOL_ID}:{org_id}"
