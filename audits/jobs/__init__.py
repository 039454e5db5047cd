"""Work of the audits plane that the scheduler repeats."""

from __future__ import annotations

from collections.abc import Sequence

from audits.jobs.assessments import assessment_jobs
from audits.jobs.ledger import ledger_jobs
from audits.service import AuditsServices
from secops.kernel.jobs import Job

__all__ = ["jobs"]


def jobs(services: AuditsServices) -> Sequence[Job]:
    """Return all jobs of the plane."""
    return (
        *ledger_jobs(services.ledger, services.cosigning),
        *assessment_jobs(services.schedules, services.rounds),
    )
