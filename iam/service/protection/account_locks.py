"""Locking an account, whoever orders it: state, sessions, epoch and record in one act."""

from __future__ import annotations

from collections.abc import Mapping

from iam.service.changes import MAX_REASON
from iam.service.means import Means
from iam.service.protection.lock_effects import outlast_locks
from iam.service.sign_on.sessions import end_within
from secops.kernel.actors import Actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction


def lock_account(
    means: Means,
    actor: Actor,
    account_id: str,
    details: Mapping[str, str],
    *,
    pending: bool = False,
) -> None:
    """Lock it and end its sessions; never refused. ``details`` has a ``reason``.

    An account that waits for its enrolment stays pending unless ``pending``: unlocked, it would
    be active without having enrolled. What locks hold already stays so when they are lifted.
    """
    states = ("active", "pending") if pending else ("active",)
    reason = details.get("reason", "")[:MAX_REASON]

    def work(tx: Transaction) -> None:
        if means.stores.accounts.get(tx, account_id).state in states:
            means.stores.accounts.set_state(tx, account_id, "locked")
        else:
            outlast_locks(means, tx, account_id)
        end_within(means, tx, account_id, reason)

    order = lock_order(actor, account_id, {**details, "reason": reason})
    means.parts.transactions.restrict(work, order)


def lock_order(actor: Actor, account_id: str, details: Mapping[str, str]) -> Restriction:
    """Return what ends an account everywhere, with its record."""
    act = Act("iam.lock_account", actor, f"account:{account_id}", details=dict(details))
    return Restriction("account", account_id, act)
