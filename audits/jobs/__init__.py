"""Work of the audits plane that the scheduler repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audits.jobs.assessments import assessment_jobs
from audits.jobs.ledger import ledger_jobs
from audits.service import AuditsServices
from secops.kernel.jobs import Job

__all__ = ["jobs"]

RULES_SECONDS: Final = 60.0


def jobs(services: AuditsServices) -> Sequence[Job]:
    """Return all jobs of the plane."""
    return (
        *ledger_jobs(services.ledger, services.cosigning),
        *assessment_jobs(services.schedules, services.rounds),
        Job("audits.watch_rules", RULES_SECONDS, services.rules_watch.watch),
    )
