"""The certificates there are: list, show, revoke at once."""

from __future__ import annotations

from typing import Final

from kms.errors.certificates import CertificateStateConflict, because
from kms.models.certificates import (
    REVOCATION_REASONS,
    CertificateDetails,
    CertificateFilter,
    CertificateRequest,
)
from kms.models.seal_registry import IssuedCertificate
from kms.service.certificates.parts import CertificateParts
from kms.service.certificates.requests import REQUESTABLE
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import (
    CERTIFICATE_READ,
    CERTIFICATE_REVOKE,
    CERTIFICATE_REVOKE_ALL,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_MAX_SEARCH: Final = 100
_REVOCABLE: Final = frozenset(
    {*REQUESTABLE, "sm2_encryption", "time_stamper", "document_time_stamper"}
)


class CertificateRegistry:
    """Shows certificates and ends them before their time."""

    def __init__(self, certificates: CertificateParts) -> None:
        self._certificates = certificates
        self._parts = certificates.parts
        self._authority = certificates.authority

    def list_certificates(
        self, actor: Actor, wanted: CertificateFilter, page: PageRequest
    ) -> Page[IssuedCertificate]:
        """Return the organisation's certificates, newest first."""
        self._parts.access.require(actor, CERTIFICATE_READ, "certificate:*")
        if len(wanted.text) > _MAX_SEARCH:
            msg = f"search for at most {_MAX_SEARCH} characters"
            raise Invalid(msg)

        def read(transaction: Transaction) -> Page[IssuedCertificate]:
            rows = self._authority.store.certificates(transaction, actor.org_id, wanted, page)
            return page_of(rows, page.limit, [(row.issued_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_certificate(self, actor: Actor, certificate_id: str) -> CertificateDetails:
        """Return one with its issuers and what it answers; raise ``CertificateNotFound``."""
        self._parts.access.require(actor, CERTIFICATE_READ, f"certificate:{certificate_id}")

        def read(transaction: Transaction) -> CertificateDetails:
            found = self._certificates.load_certificate(transaction, actor, certificate_id)
            issuer = self._authority.store.get(transaction, found.issuer_id)
            return CertificateDetails(
                certificate=found,
                issuers=() if issuer is None else (issuer,),
                revoked=self._authority.is_revoked(found),
                request=self._certificates.requests.request_of(transaction, found.id),
            )

        return self._parts.transactions.read(read)

    def revoke_certificate(self, actor: Actor, certificate_id: str, reason: str) -> None:
        """End the certificate for good, and with one of an SM2 pair the other; at once.

        ``reason`` is a word of RFC 5280 §5.3.1. Never refused because the ledger can't be
        written. Raises ``CertificateStateConflict``, ``Forbidden`` for another's.
        """
        self._parts.access.require(actor, CERTIFICATE_REVOKE, f"certificate:{certificate_id}")
        if reason not in REVOCATION_REASONS:
            msg = f"a reason is one of {', '.join(REVOCATION_REASONS)}"
            raise Invalid(msg)
        ended = self._parts.transactions.read(
            lambda transaction: self._ended_with(transaction, actor, certificate_id)
        )

        def revoke(transaction: Transaction) -> None:
            changed = [self._authority.store.revoke(transaction, each, reason) for each in ended]
            if not any(changed):
                why = Text("该证书此前已吊销", "the certificate was revoked before")
                raise because(CertificateStateConflict, why)

        restrictions = [
            Restriction(
                "certificate",
                each,
                Act(
                    "kms.revoke_certificate",
                    actor,
                    f"certificate:{each}",
                    details={"reason": reason},
                ),
            )
            for each in ended
        ]
        self._parts.transactions.restrict(revoke, *restrictions)

    def _ended_with(
        self, transaction: Transaction, actor: Actor, certificate_id: str
    ) -> tuple[str, ...]:
        found = self._certificates.load_certificate(transaction, actor, certificate_id)
        if found.requester_id != actor.id and not actor.may(CERTIFICATE_REVOKE_ALL):
            why = Text("该证书由他人申请", "this certificate was asked for by somebody else")
            raise because(Forbidden, why)
        if found.kind not in _REVOCABLE:
            why = Text(
                "印章的证书随印章吊销,CA 自身的证书不在此吊销",
                "a seal's certificate ends with its seal, and the CA's own ones last",
            )
            raise because(CertificateStateConflict, why)
        request = self._certificates.requests.request_of(transaction, found.id)
        return _pair(request) or (found.id,)


def _pair(request: CertificateRequest | None) -> tuple[str, ...]:
    """Return both certificates of a request, as far as there are two or one."""
    if request is None:
        return ()
    return tuple(each for each in (request.certificate_id, request.encryption_id) if each)
