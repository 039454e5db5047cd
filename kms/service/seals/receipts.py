"""Receipts: what proves to a stranger that a use stands in the ledger, without asking us."""

from __future__ import annotations

from typing import Any

from kms.errors.seals import ReceiptNotFound, UseNotFound
from kms.models.seal_receipts import RECEIPT_FORMAT, UseReceipt
from kms.models.seal_registry import SealUse
from kms.service.seals.parts import SealParts
from secops.kernel.actors import Actor
from secops.kernel.clock import to_rfc3339
from secops.kernel.permissions.kms import SEAL_READ
from secops.kernel.transactions import Transaction


class SealReceipts:
    """Shows what the ledger proves of a seal's uses."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._parts = seals.parts

    def show_receipt(self, actor: Actor, use_id: str) -> UseReceipt:
        """Return the receipt; its proof is None until a checkpoint covers the leaf (≤ 1 s).

        Raises ``UseNotFound``, and ``ReceiptNotFound`` for a use from before receipts.
        """
        self._parts.access.require(actor, SEAL_READ, f"seal_use:{use_id[:60]}")

        def read(transaction: Transaction) -> SealUse | None:
            return self._seals.uses.use(transaction, actor.org_id, use_id)

        use = self._parts.transactions.read(read)
        if use is None:
            msg = f"there is no use {use_id[:40]!r}"
            raise UseNotFound(msg)
        if not use.leaf_hash:
            raise ReceiptNotFound
        return UseReceipt(use, self._seals.proofs.prove_leaf(use.leaf_hash))


def receipt_record(receipt: UseReceipt) -> dict[str, Any]:
    """Return the receipt as a file that ``tools/verify_receipt.py`` judges."""
    proof = receipt.proof
    return {
        "format": RECEIPT_FORMAT,
        "use": use_record(receipt.use),
        "leaf_hash": receipt.use.leaf_hash,
        "entry": None if proof is None else proof.entry,
        "record": None if proof is None else proof.record.decode(),
        "proofs": None if proof is None else {"sha256": proof.sha256_proof, "sm3": proof.sm3_proof},
        "vkeys": [] if proof is None else list(proof.vkeys),
    }


def use_record(use: SealUse) -> dict[str, Any]:
    """Return an entry of the usage ledger."""
    return {
        "id": use.id,
        "seal_id": use.seal_id,
        "account_id": use.account_id,
        "document_sm3": use.digest,
        "purpose": use.purpose,
        "used_at": to_rfc3339(use.used_at),
        "form": use.form,
        "document_class": use.document_class,
        "value_sm3": use.value_digest,
        "leaf_hash": use.leaf_hash,
        "request_id": use.request_id,
    }
