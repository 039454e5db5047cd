"""What the scheduler repeats for this plane."""

from __future__ import annotations

from detectors.service.runs import RunService
from secops.kernel.jobs import Job

EVERY_SECONDS = 1.0


def detection_jobs(runs: RunService) -> tuple[Job, ...]:
    """Return the detectors' tick: one bounded step at a time, over what is new."""
    return (Job("detectors.run", EVERY_SECONDS, runs.tick),)
