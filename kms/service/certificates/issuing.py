"""Issue an approved certificate: looked over, signed once, kept with what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from kms.core.rfc2986.reading import ProvedRequest, verify_request
from kms.core.rfc5280.profiles import Profile
from kms.core.rfc5280.writing import Name
from kms.errors.certificates import CertificateStateConflict, because
from kms.models.certificates import CertificateRequest
from kms.models.seal_registry import IssuedCertificate
from kms.models.seals import MARKING
from kms.service.authority import Order
from kms.service.certificates.parts import CertificateParts
from kms.service.certificates.requests import request_hash, require_usable_key
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending
from secops.kernel.catalogue import Text
from secops.kernel.permissions.kms import CERTIFICATE_ISSUE
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class _Issued:
    """New certificates before they are kept: the first is what was asked for."""

    certificates: tuple[IssuedCertificate, ...]
    enveloped_key: bytes = b""


class CertificateIssuing:
    """Issues under the built-in CA."""

    def __init__(self, certificates: CertificateParts) -> None:
        self._certificates = certificates
        self._parts = certificates.parts
        self._authority = certificates.authority

    def issue_certificate(self, actor: Actor, request_id: str) -> IssuedCertificate:
        """Issue what was approved, once; with an SM2 signing certificate its encryption one.

        Raises ``NotPending`` without an approval of exactly this, ``CertificateRefused``
        where the rules forbid it, ``PoolLocked``.
        """
        self._parts.access.require(actor, CERTIFICATE_ISSUE, f"certificate_request:{request_id}")

        def look(transaction: Transaction) -> CertificateRequest:
            request = self._certificates.load_request(transaction, actor, request_id)
            self._require_approved(transaction, request)
            return request

        request = self._parts.transactions.read(look)
        proved = verify_request(request.csr)
        issuer = self._certificates.issuer_for(actor, proved.key_algorithm)
        issued = self._issue(request, proved, issuer)
        return self._parts.transactions.run(
            lambda transaction: self._keep(transaction, actor, request, issued=issued)
        )

    def _require_approved(self, transaction: Transaction, request: CertificateRequest) -> None:
        if request.state != "requested":
            why = Text("该申请已签发证书", "this request was answered with a certificate already")
            raise because(CertificateStateConflict, why)
        approval = self._parts.approvals.get(transaction, request.approval_id)
        if approval.state != "approved":
            raise NotPending

    def _issue(
        self, request: CertificateRequest, proved: ProvedRequest, issuer: IssuedCertificate
    ) -> _Issued:
        subject = Name(request.organization, MARKING, request.common_name)
        order = Order(
            profile=cast("Profile", request.profile),
            org_id=request.org_id,
            key_name=request.id,
            subject=subject,
            spki=proved.spki,
            names=proved.names,
            requester_id=request.requester_id,
        )
        first = self._authority.issue(order, issuer)
        if request.profile != "sm2_signing":
            return _Issued((first,))
        key_name = f"encryption-{request.id}"
        spki = self._authority.keys.ensure_key(key_name)
        second = self._authority.issue(
            Order(
                profile="sm2_encryption",
                org_id=request.org_id,
                key_name=key_name,
                subject=subject,
                spki=spki,
                requester_id=request.requester_id,
            ),
            issuer,
        )
        return _Issued((first, second), self._authority.keys.hand_over(key_name, proved.spki))

    def _keep(
        self,
        transaction: Transaction,
        actor: Actor,
        request: CertificateRequest,
        *,
        issued: _Issued,
    ) -> IssuedCertificate:
        # the hash of what was read and signed: a row changed in between is not what was approved
        self._parts.approvals.use(transaction, request.approval_id, request_hash(request))
        first, *others = issued.certificates
        # again: between the request and now it may have been revoked, or certified for others
        require_usable_key(transaction, self._authority, request)
        marked = self._certificates.requests.mark_issued(
            transaction,
            request.id,
            first.id,
            encryption_id=others[0].id if others else None,
            enveloped_key=issued.enveloped_key,
        )
        kept = [self._authority.keep(transaction, each, actor) for each in issued.certificates]
        if not marked or not all(kept):
            why = Text(
                "该申请已签发,或序列号已被占用",
                "the request was answered already, or its serial number is taken",
            )
            raise because(CertificateStateConflict, why)
        return first
