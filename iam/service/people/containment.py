"""Containment ordered by an approved playbook run: no route and no command leads here.

The approval stands in the plan that the run carries out; the acts name the run, who asked
and who approved. Both acts are idempotent and are never refused (``transactions.restrict``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iam.models.accounts import Account
from iam.service.means import Means
from iam.service.protection.account_locks import lock_account
from iam.service.sign_on.sessions import end_sessions, find_account
from secops.kernel.actors import system_actor
from secops.kernel.errors import NotFound
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.kernel.transactions import Transaction

_ACTOR = system_actor("playbooks")


@dataclass(frozen=True, slots=True)
class Contained:
    """An account as containment sees it; ``last_of`` is the role it is the last holder of."""

    account: Account
    locked: bool
    last_of: str


@dataclass(frozen=True, slots=True)
class ContainmentService:
    """What identity can take away on an order."""

    means: Means

    def look(self, org_id: str, account: str) -> Contained | None:
        """Return the account with this name or id in ``org_id``."""

        def work(tx: Transaction) -> Contained | None:
            try:
                found = find_account(self.means, tx, account)
            except NotFound:
                return None
            if found.org_id != org_id:
                return None
            roles = self.means.stores.roles
            mine = roles.of_subject(tx, found.id) & ADMINISTRATORS
            last = [role for role in sorted(mine) if roles.holders(tx, role) <= 1]
            return Contained(found, found.state == "locked", last[0] if last else "")

        seen = self.means.parts.transactions.read(work)
        if seen is None or not self.means.parts.revocations.is_revoked("account", seen.account.id):
            return seen
        return Contained(seen.account, locked=True, last_of=seen.last_of)

    def sessions_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of the account's living sessions."""
        read = self.means.parts.transactions.read
        alive = read(lambda tx: self.means.stores.sessions.alive_of(tx, account_id))
        return [session.id for session in alive]

    def revoke_sessions(self, account_id: str, reason: str) -> int:
        """End all its sessions; return how many there were."""
        read = self.means.parts.transactions.read
        alive = read(lambda tx: self.means.stores.sessions.alive_of(tx, account_id))
        return len(end_sessions(self.means, _ACTOR, alive, reason))

    def lock_account(self, account_id: str, order: Mapping[str, str]) -> None:
        """Lock it and end its sessions; ``order`` names run, requester, approver and reason."""
        lock_account(self.means, _ACTOR, account_id, order)
