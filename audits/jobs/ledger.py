"""The sequencer as a job: four times a second, at once again while more waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audits.service.ledger import LedgerService
from secops.kernel.jobs import Job

EVERY_SECONDS: Final = 0.25


def ledger_jobs(ledger: LedgerService) -> Sequence[Job]:
    """Return the sequencing job."""
    return (Job("audits.sequence_ledger", EVERY_SECONDS, ledger.sequencer.tick),)
