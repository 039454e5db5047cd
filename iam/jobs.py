"""Scheduled work: what has expired is removed, a bounded part at a time."""

from __future__ import annotations

from typing import Final

from iam.service.means import Means
from secops.kernel.jobs import Job

PURGE_SECONDS: Final = 300.0
PURGE_LIMIT: Final = 500


def jobs(means: Means) -> tuple[Job, ...]:
    """Return the plane's jobs."""

    def purge() -> bool:
        removed = means.parts.transactions.run(
            lambda tx: means.stores.grants.purge(tx, PURGE_LIMIT)
        )
        return removed >= PURGE_LIMIT

    return (Job("iam.purge", PURGE_SECONDS, purge),)
