"""What certificates need from outside: stores of certificates, requests and trust anchors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kms.models.certificates import (
    AnchorState,
    CertificateFilter,
    CertificateRequest,
    OutsideList,
    TrustAnchor,
)
from kms.models.seal_registry import CertificateKind, IssuedCertificate
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class CertificateStore(Protocol):
    """Keeps the certificates of the built-in CA, and outside ones for keys of the pool."""

    def insert(self, transaction: Transaction, certificate: IssuedCertificate) -> bool:
        """Store it; False if there is one of that kind for that key, or of that serial."""
        ...

    def find(
        self, transaction: Transaction, kind: CertificateKind, key_name: str
    ) -> IssuedCertificate | None:
        """Return the certificate of the key ``key_name``."""
        ...

    def get(self, transaction: Transaction, certificate_id: str) -> IssuedCertificate | None:
        """Return it."""
        ...

    def by_serial(
        self, transaction: Transaction, issuer_id: str, serial: int
    ) -> IssuedCertificate | None:
        """Return what ``issuer_id`` issued under ``serial``."""
        ...

    def revoke(
        self,
        transaction: Transaction,
        certificate_id: str,
        reason: str = "",
        *,
        at: int | None = None,
    ) -> bool:
        """Mark it revoked ``at`` an instant, now by default, for ``reason``; False if it was.

        ``reason`` is a word of RFC 5280.
        """
        ...

    def revoked(self, transaction: Transaction) -> Sequence[IssuedCertificate]:
        """Return all that were revoked."""
        ...

    def of_key(self, transaction: Transaction, key_digest: str) -> Sequence[IssuedCertificate]:
        """Return all certificates of the key with this SPKI digest, oldest first."""
        ...

    def certificates(
        self, transaction: Transaction, org_id: str, wanted: CertificateFilter, request: PageRequest
    ) -> Sequence[IssuedCertificate]:
        """Return a page of an organisation's, newest first, one more than asked for."""
        ...


class CertificateRequestStore(Protocol):
    """Keeps what was asked for."""

    def insert_request(self, transaction: Transaction, request: CertificateRequest) -> None:
        """Store a new ``request``."""
        ...

    def request(
        self, transaction: Transaction, org_id: str, request_id: str
    ) -> CertificateRequest | None:
        """Return it if it belongs to ``org_id``."""
        ...

    def request_of(
        self, transaction: Transaction, certificate_id: str
    ) -> CertificateRequest | None:
        """Return the request that a certificate answers."""
        ...

    def requests(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Sequence[CertificateRequest]:
        """Return a page, newest first, one more than asked for."""
        ...

    def mark_issued(
        self,
        transaction: Transaction,
        request_id: str,
        certificate_id: str,
        *,
        encryption_id: str | None,
        enveloped_key: bytes,
    ) -> bool:
        """Say what a request led to; False if it led to something before."""
        ...


class TrustStore(Protocol):
    """Keeps trust anchors, and the revocation lists they signed."""

    def insert_anchor(self, transaction: Transaction, anchor: TrustAnchor) -> None:
        """Store a proposed ``anchor``."""
        ...

    def anchor(self, transaction: Transaction, org_id: str, anchor_id: str) -> TrustAnchor | None:
        """Return it if it belongs to ``org_id``."""
        ...

    def anchors(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Sequence[TrustAnchor]:
        """Return a page, newest first, one more than asked for."""
        ...

    def active_anchors(self, transaction: Transaction) -> Sequence[TrustAnchor]:
        """Return all that are believed now, oldest first."""
        ...

    def change_anchor(
        self,
        transaction: Transaction,
        anchor_id: str,
        *,
        before: AnchorState,
        after: AnchorState,
        reason: str,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        ...

    def put_list(self, transaction: Transaction, found: OutsideList) -> bool:
        """Store an anchor's list; False unless its number is greater than the one before."""
        ...

    def revocation_list(self, transaction: Transaction, anchor_id: str) -> OutsideList | None:
        """Return the newest list of an anchor."""
        ...

    def revocation_lists(self, transaction: Transaction) -> Sequence[OutsideList]:
        """Return the newest list of every anchor that has one."""
        ...
