"""What other planes and the spine provide; ``secops.bridges`` fills it."""

from __future__ import annotations

from dataclasses import dataclass

from audits.ports.ledger import CheckpointSigner, Doors


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditsPorts:
    """``doors`` reads the spine's two doors; ``signer`` is the key pool's (bound late)."""

    doors: Doors
    signer: CheckpointSigner
