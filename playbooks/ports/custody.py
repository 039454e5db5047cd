"""The product's key for chains of custody, and the stores of an incident's work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from playbooks.models.custody import CustodyLink, CustodyOffer, CustodySignature, Evidence
from secops.kernel.transactions import Transaction


class CustodySigner(Protocol):
    """Signs links of custody with an SM2 key of the product."""

    def sign_custody(self, message: bytes) -> CustodySignature:
        """Return the signature; raise ``CustodySignerLocked``."""
        ...

    def custody_keys(self) -> Mapping[str, bytes]:
        """Return the public keys (SPKI, DER) that still count, by id."""
        ...


class EvidenceStore(Protocol):
    """Keeps items of evidence, their links of custody, and hand-overs that wait."""

    def add(self, transaction: Transaction, item: Evidence, link: CustodyLink) -> None:
        """Store a new item with its first link; raise ``EvidenceRefused`` for a known key."""
        ...

    def get(self, transaction: Transaction, org_id: str, evidence_id: str) -> Evidence:
        """Return it; raise ``EvidenceNotFound``."""
        ...

    def by_key(
        self, transaction: Transaction, org_id: str, incident_id: str, key: str
    ) -> Evidence | None:
        """Return what was kept under an idempotency key."""
        ...

    def of(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Evidence]:
        """Return an incident's items, oldest first."""
        ...

    def extend(
        self, transaction: Transaction, before: Evidence, after: Evidence, link: CustodyLink
    ) -> None:
        """Add a link to ``before``; raise ``ChangedMeanwhile`` if it isn't the head any more."""
        ...

    def last_link(self, transaction: Transaction, item: Evidence) -> CustodyLink:
        """Return the link that is the head of an item's chain."""
        ...

    def links(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[CustodyLink]:
        """Return the links of all an incident's items, by item and number."""
        ...

    def offer(self, transaction: Transaction, offer: CustodyOffer) -> bool:
        """Keep an offer; False if one waits already."""
        ...

    def offers(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[CustodyOffer]:
        """Return the offers of an incident that wait."""
        ...

    def end_offer(self, transaction: Transaction, offer: CustodyOffer) -> bool:
        """Remove exactly this offer; False if it is gone or another one."""
        ...
