"""How far an administrator reaches: their own organisation and everything below it."""

from __future__ import annotations

from iam.models.accounts import Account
from iam.service.means import Means
from iam.service.sign_on.sessions import find_account
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.transactions import Transaction


def reaches(means: Means, tx: Transaction, actor: Actor, org_id: str) -> bool:
    """Tell whether ``actor`` may act in ``org_id``; upwards and sideways nobody may."""
    return means.stores.organisations.reaches(tx, actor.org_id, org_id)


def require_reach(means: Means, tx: Transaction, actor: Actor, org_id: str, what: str) -> None:
    """Raise ``NotFound`` for things out of reach: that they exist is not told either."""
    if not reaches(means, tx, actor, org_id):
        msg = f"there is no such {what}"
        raise NotFound(msg)


def reached_account(means: Means, tx: Transaction, actor: Actor, account: str) -> Account:
    """Return an account by name or id; raise ``NotFound`` if the actor can't reach it."""
    found = find_account(means, tx, account)
    require_reach(means, tx, actor, found.org_id, "account")
    return found
