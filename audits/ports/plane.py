"""What other planes and the spine provide; ``secops.bridges`` fills it."""

from __future__ import annotations

from dataclasses import dataclass

from audits.ports.compliance import EvidenceSource, ReportSigner
from audits.ports.ledger import CheckpointSigner, Doors


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditsPorts:
    """``doors`` reads the spine's two doors; ``signer`` is the key pool's (bound late).

    ``evidence`` looks at the other planes' real state; ``report_signer`` is the key pool's.
    """

    doors: Doors
    signer: CheckpointSigner
    evidence: EvidenceSource
    report_signer: ReportSigner
