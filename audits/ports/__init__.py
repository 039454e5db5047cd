"""What the audits plane needs from outside."""

from audits.ports.ledger import (
    CheckpointSigner,
    Doors,
    LedgerStore,
    SignatureVerifier,
    TileSink,
    VkeyFile,
)
from audits.ports.plane import AuditsPorts

__all__ = [
    "AuditsPorts",
    "CheckpointSigner",
    "Doors",
    "LedgerStore",
    "SignatureVerifier",
    "TileSink",
    "VkeyFile",
]
