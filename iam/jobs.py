"""Scheduled work: what has expired is removed, who left upstream is locked; in bounded parts."""

from __future__ import annotations

from typing import Final

from iam.service import IamServices
from iam.service.means import Means
from secops.kernel.clock import DAY, HOUR
from secops.kernel.jobs import Job
from secops.kernel.transactions import Transaction

PURGE_SECONDS: Final = 300.0
PURGE_LIMIT: Final = 500
KEYS_SECONDS: Final = 3_600.0
KEY_AGE: Final = 90 * DAY
"""A key for tokens signs for ninety days, the first of them published beside its predecessor."""
LOGOUT_SECONDS: Final = 0.5
LOGOUTS_KEPT: Final = 7 * DAY
ENDS_SECONDS: Final = 1.0
PART: Final = 50
DECISIONS_SECONDS: Final = 3_600.0
DECISIONS_KEPT_DAYS: Final = 30
LEFT_BEHIND_SECONDS: Final = 5.0
DECISIONS_KEPT: Final = 50_000
LEAVERS_SECONDS: Final = 300.0
CONSENTS_KEPT: Final = 90 * DAY
TICKETS_KEPT: Final = 2 * DAY
"""Longer than a session lives and a silent service is told again."""


def jobs(means: Means, services: IamServices) -> tuple[Job, ...]:
    """Return the plane's jobs."""

    def purge() -> bool:
        removed = means.parts.transactions.run(remove)
        return removed >= PURGE_LIMIT

    def renew() -> bool:
        services.metadata.ring.renew(means.now - KEY_AGE)
        return False

    def remove(tx: Transaction) -> int:
        stores, before = means.stores, tx.now - HOUR
        return (
            stores.grants.purge(tx, PURGE_LIMIT)
            + stores.pushed.purge(tx, before, PURGE_LIMIT)
            + stores.device_grants.purge(tx, before, PURGE_LIMIT)
            + stores.logouts.purge(tx, tx.now - LOGOUTS_KEPT, PURGE_LIMIT)
            + stores.cas.purge(tx, tx.now - TICKETS_KEPT, PURGE_LIMIT)
            + stores.message_addresses.purge(tx, before, PURGE_LIMIT)
            + stores.owner_notices.purge(tx, tx.now - LOGOUTS_KEPT, PURGE_LIMIT)
            + stores.consents.purge(tx, tx.now - CONSENTS_KEPT, PURGE_LIMIT)
        )

    def end_what_is_over() -> bool:
        power = services.power
        ended = power.lending.end_lapsed(PART)
        locked = power.departures.lock_expired(PART)
        return max(ended, locked, power.departures.carry_out_due(PART)) >= PART

    def forget_decisions() -> bool:
        before = means.now // DAY - DECISIONS_KEPT_DAYS
        means.parts.transactions.run(
            lambda tx: means.stores.decisions.purge(tx, before, DECISIONS_KEPT)
        )
        return False

    def write_left_behind() -> bool:
        services.decisions.record.recover()
        return False

    return (
        Job("iam.locks", ENDS_SECONDS, services.protection.locks.expire_locks),
        Job("iam.decisions", DECISIONS_SECONDS, forget_decisions),
        Job("iam.left_behind", LEFT_BEHIND_SECONDS, write_left_behind),
        Job("iam.ends", ENDS_SECONDS, end_what_is_over),
        Job("iam.purge", PURGE_SECONDS, purge),
        Job("iam.token_keys", KEYS_SECONDS, renew),
        Job("iam.logouts", LOGOUT_SECONDS, services.logouts.deliver),
        Job("iam.cas_logouts", LOGOUT_SECONDS, services.cas_logouts.deliver),
        Job("iam.notices", LOGOUT_SECONDS, services.notices.deliver),
        Job("iam.leavers", LEAVERS_SECONDS, services.leavers.tick),
    )
