"""Certificates, requests for them, trust anchors and their revocation lists in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from kms.models.certificates import (
    AnchorState,
    CertificateFilter,
    CertificateRequest,
    OutsideList,
    TrustAnchor,
)
from kms.models.seal_registry import CertificateKind, IssuedCertificate
from kms.store.rows import fields_of, newest_first
from kms.store.tables.certificates import (
    kms_certificate_requests,
    kms_outside_lists,
    kms_trust_anchors,
)
from kms.store.tables.seals import kms_certificates
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

_NUMBER: Final = 40


class SqlCertificateStore:
    """The certificates of the built-in CA, and outside ones for keys of the pool."""

    def insert(self, transaction: Transaction, certificate: IssuedCertificate) -> bool:
        """Store it; False if there is one of that kind for that key, or of that serial."""
        # writers follow one another, so nothing comes between the look and the insert
        if self.find(transaction, certificate.kind, certificate.key_name) is not None:
            return False
        issued = self.by_serial(transaction, certificate.issuer_id, int(certificate.serial, 16))
        if issued is not None:
            return False
        transaction.execute(insert(kms_certificates).values(**asdict(certificate)))
        return True

    def find(
        self, transaction: Transaction, kind: CertificateKind, key_name: str
    ) -> IssuedCertificate | None:
        """Return the certificate of the key ``key_name``."""
        table = kms_certificates
        return _one(transaction, and_(table.c.kind == kind, table.c.key_name == key_name))

    def get(self, transaction: Transaction, certificate_id: str) -> IssuedCertificate | None:
        """Return it."""
        return _one(transaction, kms_certificates.c.id == certificate_id)

    def by_serial(
        self, transaction: Transaction, issuer_id: str, serial: int
    ) -> IssuedCertificate | None:
        """Return what ``issuer_id`` issued under ``serial``."""
        table = kms_certificates
        return _one(
            transaction, and_(table.c.issuer_id == issuer_id, table.c.serial == f"{serial:x}")
        )

    def revoke(
        self,
        transaction: Transaction,
        certificate_id: str,
        reason: str = "",
        *,
        at: int | None = None,
    ) -> bool:
        """Mark it revoked ``at`` an instant, now by default, for ``reason``; False if it was."""
        table = kms_certificates
        statement = (
            update(table)
            .where(table.c.id == certificate_id, table.c.revoked_at.is_(None))
            .values(revoked_at=transaction.now if at is None else at, revocation_reason=reason)
        )
        return bool(transaction.execute(statement).rowcount)

    def revoked(self, transaction: Transaction) -> Sequence[IssuedCertificate]:
        """Return all that were revoked."""
        statement = select(kms_certificates).where(kms_certificates.c.revoked_at.is_not(None))
        return [_certificate(row) for row in transaction.execute(statement)]

    def of_key(self, transaction: Transaction, key_digest: str) -> Sequence[IssuedCertificate]:
        """Return all certificates of the key with this SPKI digest, oldest first."""
        table = kms_certificates
        statement = (
            select(table)
            .where(table.c.key_digest == key_digest)
            .order_by(table.c.issued_at, table.c.id)
        )
        return [_certificate(row) for row in transaction.execute(statement)]

    def certificates(
        self, transaction: Transaction, org_id: str, wanted: CertificateFilter, request: PageRequest
    ) -> Sequence[IssuedCertificate]:
        """Return a page of an organisation's, newest first, one more than asked for."""
        table = kms_certificates
        statement = select(table).where(table.c.org_id == org_id)
        if wanted.kind:
            statement = statement.where(table.c.kind == wanted.kind)
        if wanted.revoked is not None:
            marked = table.c.revoked_at.is_not(None)
            statement = statement.where(marked if wanted.revoked else ~marked)
        if wanted.text:
            inside = table.c.subject.icontains(wanted.text, autoescape=True)
            begins = table.c.serial.startswith(wanted.text.lower(), autoescape=True)
            statement = statement.where(or_(inside, begins))
        statement = newest_first(statement, table, "issued_at", request)
        return [_certificate(row) for row in transaction.execute(statement)]


class SqlCertificateRequestStore:
    """What was asked for."""

    def insert_request(self, transaction: Transaction, request: CertificateRequest) -> None:
        """Store a new ``request``."""
        values = {
            **asdict(request),
            "names": _words(request.names),
            "ignored": _words(request.ignored),
        }
        transaction.execute(insert(kms_certificate_requests).values(**values))

    def request(
        self, transaction: Transaction, org_id: str, request_id: str
    ) -> CertificateRequest | None:
        """Return it if it belongs to ``org_id``."""
        table = kms_certificate_requests
        statement = select(table).where(table.c.id == request_id, table.c.org_id == org_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else _request(row)

    def request_of(
        self, transaction: Transaction, certificate_id: str
    ) -> CertificateRequest | None:
        """Return the request that a certificate answers."""
        table = kms_certificate_requests
        statement = select(table).where(
            or_(table.c.certificate_id == certificate_id, table.c.encryption_id == certificate_id)
        )
        row = transaction.execute(statement).one_or_none()
        return None if row is None else _request(row)

    def requests(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Sequence[CertificateRequest]:
        """Return a page, newest first, one more than asked for."""
        table = kms_certificate_requests
        statement = select(table).where(table.c.org_id == org_id)
        statement = newest_first(statement, table, "requested_at", page)
        return [_request(row) for row in transaction.execute(statement)]

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
        table = kms_certificate_requests
        statement = (
            update(table)
            .where(table.c.id == request_id, table.c.state == "requested")
            .values(
                state="issued",
                certificate_id=certificate_id,
                encryption_id=encryption_id,
                enveloped_key=enveloped_key,
            )
        )
        return bool(transaction.execute(statement).rowcount)


class SqlTrustStore:
    """Trust anchors, and the revocation lists they signed."""

    def insert_anchor(self, transaction: Transaction, anchor: TrustAnchor) -> None:
        """Store a proposed ``anchor``."""
        values = {**asdict(anchor), "uses": _words(anchor.uses)}
        transaction.execute(insert(kms_trust_anchors).values(**values))

    def anchor(self, transaction: Transaction, org_id: str, anchor_id: str) -> TrustAnchor | None:
        """Return it if it belongs to ``org_id``."""
        table = kms_trust_anchors
        statement = select(table).where(table.c.id == anchor_id, table.c.org_id == org_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else _anchor(row)

    def anchors(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Sequence[TrustAnchor]:
        """Return a page, newest first, one more than asked for."""
        table = kms_trust_anchors
        statement = select(table).where(table.c.org_id == org_id)
        statement = newest_first(statement, table, "requested_at", page)
        return [_anchor(row) for row in transaction.execute(statement)]

    def active_anchors(self, transaction: Transaction) -> Sequence[TrustAnchor]:
        """Return all that are believed now, oldest first."""
        table = kms_trust_anchors
        statement = select(table).where(table.c.state == "active")
        statement = statement.order_by(table.c.requested_at, table.c.id)
        return [_anchor(row) for row in transaction.execute(statement)]

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
        table = kms_trust_anchors
        statement = (
            update(table)
            .where(table.c.id == anchor_id, table.c.state == before)
            .values(state=after, state_reason=reason, state_at=transaction.now)
        )
        return bool(transaction.execute(statement).rowcount)

    def put_list(self, transaction: Transaction, found: OutsideList) -> bool:
        """Store an anchor's list; False unless its number is greater than the one before."""
        before = self.revocation_list(transaction, found.anchor_id)
        if before is not None and found.number <= before.number:
            return False
        table = kms_outside_lists
        transaction.execute(delete(table).where(table.c.anchor_id == found.anchor_id))
        values = {**asdict(found), "number": f"{found.number:0{_NUMBER}x}"}
        transaction.execute(insert(table).values(**values))
        return True

    def revocation_list(self, transaction: Transaction, anchor_id: str) -> OutsideList | None:
        """Return the newest list of an anchor."""
        table = kms_outside_lists
        row = transaction.execute(select(table).where(table.c.anchor_id == anchor_id)).one_or_none()
        return None if row is None else _list(row)

    def revocation_lists(self, transaction: Transaction) -> Sequence[OutsideList]:
        """Return the newest list of every anchor that has one."""
        rows = transaction.execute(select(kms_outside_lists))
        return [_list(row) for row in rows]


def _one(transaction: Transaction, condition: ColumnElement[bool]) -> IssuedCertificate | None:
    row = transaction.execute(select(kms_certificates).where(condition)).one_or_none()
    return None if row is None else _certificate(row)


def _certificate(row: Any) -> IssuedCertificate:
    fields = fields_of(row)
    return IssuedCertificate(**{**fields, "der": bytes(fields["der"])})


def _request(row: Any) -> CertificateRequest:
    fields = fields_of(row)
    words = {name: tuple(orjson.loads(fields[name])) for name in ("names", "ignored")}
    octets = {name: bytes(fields[name]) for name in ("csr", "enveloped_key")}
    return CertificateRequest(**{**fields, **words, **octets})


def _anchor(row: Any) -> TrustAnchor:
    fields = fields_of(row)
    uses = tuple(orjson.loads(fields["uses"]))
    return TrustAnchor(**{**fields, "uses": uses, "der": bytes(fields["der"])})


def _list(row: Any) -> OutsideList:
    fields = fields_of(row)
    number = int(fields["number"], 16)
    return OutsideList(**{**fields, "number": number, "der": bytes(fields["der"])})


def _words(words: Sequence[str]) -> str:
    return orjson.dumps(words).decode()
