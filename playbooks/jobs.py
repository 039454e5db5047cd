"""Scheduled work: runs go on, clocks warn before they end, messages leave, people are called."""

from __future__ import annotations

from typing import Final

from playbooks.service import PlaybooksServices
from secops.kernel.jobs import Job

RUN_SECONDS: Final = 0.2
"""An alert that a binding answers refuses within a second, by the outbox and a run."""
CLOCK_SECONDS: Final = 60.0
MESSAGE_SECONDS: Final = 2.0
HERALD_SECONDS: Final = 10.0
DUTY_SECONDS: Final = 5.0
AUTOMATIC_SECONDS: Final = 5.0
COUNTER_SECONDS: Final = 3_600.0


def jobs(services: PlaybooksServices) -> tuple[Job, ...]:
    """Return the plane's jobs."""

    def warn() -> bool:
        services.inbox.warn_of_clocks()
        return False

    def remind() -> bool:
        services.notices.reminders.remind_units()
        return False

    return (
        Job("playbooks.notices", CLOCK_SECONDS, remind),
        Job("playbooks.runs", RUN_SECONDS, services.runner.advance_all),
        Job("playbooks.clocks", CLOCK_SECONDS, warn),
        Job("playbooks.messages", MESSAGE_SECONDS, services.notifications.delivery.deliver),
        Job("playbooks.heralds", HERALD_SECONDS, services.notifications.herald.look),
        Job(
            "playbooks.automatic", AUTOMATIC_SECONDS, services.autonomy.automatic.take_back_overdue
        ),
        Job("playbooks.counters", COUNTER_SECONDS, services.autonomy.answerer.forget),
        Job("playbooks.duty", DUTY_SECONDS, services.duty.escalations.escalate),
    )
