"""Scheduled work: approved runs go on, statutory clocks warn before they end."""

from __future__ import annotations

from typing import Final

from playbooks.service import PlaybooksServices
from secops.kernel.jobs import Job

RUN_SECONDS: Final = 0.5
CLOCK_SECONDS: Final = 60.0


def jobs(services: PlaybooksServices) -> tuple[Job, ...]:
    """Return the plane's jobs."""

    def warn() -> bool:
        services.inbox.warn_of_clocks()
        return False

    return (
        Job("playbooks.runs", RUN_SECONDS, services.runner.advance_all),
        Job("playbooks.clocks", CLOCK_SECONDS, warn),
    )
