"""What keys and seals need from outside, one file per family."""

from __future__ import annotations

from dataclasses import dataclass

from kms.ports.keys import Subjects
from kms.ports.receipts import LedgerProofs
from kms.ports.remote_seals import Outbound
from kms.ports.seals import CallerRisks

__all__ = ["CallerRisks", "KmsPorts", "LedgerProofs", "Outbound", "Subjects"]


@dataclass(frozen=True, slots=True)
class KmsPorts:
    """What other planes provide; ``secops.bridges`` fills it.

    ``outbound`` leads to the province's e-seal system, ``stamping`` to outside time-stamps.
    """

    subjects: Subjects
    risks: CallerRisks
    proofs: LedgerProofs
    outbound: Outbound
    stamping: Outbound
