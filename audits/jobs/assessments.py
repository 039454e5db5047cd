"""Assessments that are due, and the continuous checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audits.service.assessments.rounds import ControlRounds
from audits.service.assessments.schedules import ScheduleService
from secops.kernel.jobs import Job

DUE_SECONDS: Final = 60.0


def assessment_jobs(schedules: ScheduleService, rounds: ControlRounds) -> Sequence[Job]:
    """Return the jobs."""
    return (
        Job("audits.make_scheduled_assessments", DUE_SECONDS, schedules.tick),
        Job("audits.check_controls", DUE_SECONDS, rounds.tick),
    )
