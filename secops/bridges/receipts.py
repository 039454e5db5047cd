"""Proofs of the ledger for receipts of seals; kms is installed first."""

from __future__ import annotations

from audits.errors import EntryNotFound, NotCheckpointed
from audits.service import AuditsServices
from kms.models.seal_receipts import LeafProof


class LateLedgerProofs:
    """Implements ``kms.ports.LedgerProofs``; audits are installed last and bound then."""

    def __init__(self) -> None:
        self._audits: AuditsServices | None = None

    def bind(self, audits: AuditsServices) -> None:
        """Ask ``audits`` from now on."""
        self._audits = audits

    def prove_leaf(self, leaf_hash: str) -> LeafProof | None:
        """Return record, place and both proofs; None while no checkpoint covers the leaf."""
        if self._audits is None:
            return None
        files = self._audits.ledger.files
        try:
            entry = files.find_entry(leaf_hash).entry
            reference = str(entry.index)
            return LeafProof(
                entry=entry.index,
                record=entry.record,
                sha256_proof=files.prove_entry(reference, "sha256"),
                sm3_proof=files.prove_entry(reference, "sm3"),
                vkeys=tuple(files.vkeys()),
            )
        except (EntryNotFound, NotCheckpointed):
            return None
