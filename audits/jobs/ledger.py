"""The sequencer as a job, four times a second; old checkpoints are thinned each hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audits.service.ledger.cosigning import Cosigning
from audits.service.ledger.ledger import LedgerService
from secops.kernel.jobs import Job

EVERY_SECONDS: Final = 0.25
THIN_SECONDS: Final = 3_600.0
ASK_SECONDS: Final = 30.0


def ledger_jobs(ledger: LedgerService, cosigning: Cosigning | None) -> Sequence[Job]:
    """Return the ledger's jobs."""
    sequencer = ledger.sequencer
    asking = (cosigning.ask_witnesses,) if cosigning else ()
    return (
        *(Job("audits.ask_witnesses", ASK_SECONDS, ask) for ask in asking),
        Job("audits.sequence_ledger", EVERY_SECONDS, sequencer.tick),
        Job("audits.thin_checkpoints", THIN_SECONDS, sequencer.thin_checkpoints),
    )
