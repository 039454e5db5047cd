"""Roles that were lent end by themselves: nobody has to remember."""

from __future__ import annotations

from dataclasses import dataclass

from iam.service.means import Means
from iam.service.sign_on.sessions import end_within
from secops.kernel.actors import system_actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_SCHEDULER = system_actor("iam.lending")


@dataclass(frozen=True, slots=True)
class LendingService:
    """Removes what is over. It counts no more from its end on, whether or not this runs."""

    means: Means

    def end_lapsed(self, limit: int = 50) -> int:
        """Remove grants whose time is over, end the sessions, record it; return how many."""
        read = self.means.parts.transactions.read
        if not read(lambda tx: len(self.means.stores.roles.lapsed(tx, 1))):
            return 0

        def work(tx: Transaction) -> int:
            over = self.means.stores.roles.lapsed(tx, limit)
            for grant in over:
                self.means.stores.roles.remove(tx, grant.subject_id, grant.role)
                end_within(self.means, tx, grant.subject_id, "a lent role ended")
                details = {"role": grant.role, "lent_until": grant.expires_at}
                target = f"account:{grant.subject_id}"
                tx.record(Act("iam.end_lent_role", _SCHEDULER, target, details=details))
            return len(over)

        return self.means.parts.transactions.run(work)
