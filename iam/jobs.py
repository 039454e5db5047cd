"""Scheduled work: what has expired is removed, who left upstream is locked; in bounded parts."""

from __future__ import annotations

from typing import Final

from iam.service import IamServices
from iam.service.means import Means
from secops.kernel.jobs import Job

PURGE_SECONDS: Final = 300.0
PURGE_LIMIT: Final = 500
LEAVERS_SECONDS: Final = 300.0


def jobs(means: Means, services: IamServices) -> tuple[Job, ...]:
    """Return the plane's jobs."""

    def purge() -> bool:
        removed = means.parts.transactions.run(
            lambda tx: means.stores.grants.purge(tx, PURGE_LIMIT)
        )
        return removed >= PURGE_LIMIT

    return (
        Job("iam.purge", PURGE_SECONDS, purge),
        Job("iam.leavers", LEAVERS_SECONDS, services.leavers.tick),
    )
