"""Ask for a certificate with a PKCS#10, and decide: never the requester's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

from kms.core.rfc2986.reading import ProvedRequest, RequestRefused, verify_request
from kms.core.rfc5280.names import NameRefused, check_names, check_text
from kms.core.rfc5280.profiles import PROFILES, Profile
from kms.errors.certificates import (
    CertificateRefused,
    CertificateRequestRejected,
    CertificateStateConflict,
    because,
)
from kms.models.certificates import CertificateRequest, CertificateWish
from kms.service.authority import Authority
from kms.service.certificates.parts import CertificateParts
from kms.service.reasons import check_reason
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import (
    CERTIFICATE_APPROVE,
    CERTIFICATE_READ,
    CERTIFICATE_REQUEST,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_APPROVAL_KIND: Final = "certificate"
_APPROVAL_DAYS: Final = 30
REQUESTABLE: Final[tuple[Profile, ...]] = tuple(
    name for name, profile in PROFILES.items() if profile.requestable
)


class CertificateRequests:
    """The way to a certificate: asked for by one, approved by another."""

    def __init__(self, certificates: CertificateParts) -> None:
        self._certificates = certificates
        self._parts = certificates.parts

    def request_certificate(self, actor: Actor, wish: CertificateWish) -> CertificateRequest:
        """Store the request and ask for its approval.

        Of the PKCS#10 only the key and the checked names are taken over. Raises
        ``CertificateRequestRejected``, ``CertificateRefused``, ``CertificateNotFound``.
        """
        self._parts.access.require(actor, CERTIFICATE_REQUEST, "certificate_request:new")
        check_reason(wish.reason)
        request = self._request(actor, wish, _prove(wish))

        def store(transaction: Transaction) -> CertificateRequest:
            require_usable_key(transaction, self._certificates.authority, request)
            if request.renews is not None:
                self._require_renewable(transaction, actor, request)
            self._certificates.requests.insert_request(transaction, request)
            self._parts.approvals.request(transaction, _approval(request))
            details = {
                "request": request.subject_hash,
                "profile": request.profile,
                "key": request.key_digest,
            }
            target = f"certificate_request:{request.id}"
            transaction.record(Act("kms.request_certificate", actor, target, details=details))
            return request

        return self._parts.transactions.run(store)

    def decide_certificate_request(
        self, actor: Actor, request_id: str, *, grant: bool, reason: str
    ) -> Approval:
        """Approve or reject; raises ``SelfApproval``, ``Forbidden`` or ``NotPending``."""
        target = f"certificate_request:{request_id}"
        self._parts.access.require(actor, CERTIFICATE_APPROVE, target)
        check_reason(reason)

        def decide(transaction: Transaction) -> Approval:
            request = self._certificates.load_request(transaction, actor, request_id)
            approval = self._parts.approvals.decide(
                transaction, request.approval_id, actor, grant=grant, reason=reason
            )
            details = {"request": request.subject_hash, "grant": grant}
            transaction.record(
                Act("kms.decide_certificate_request", actor, target, details=details)
            )
            return approval

        return self._parts.transactions.run(decide)

    def list_certificate_requests(
        self, actor: Actor, page: PageRequest
    ) -> Page[tuple[CertificateRequest, Approval]]:
        """Return the organisation's requests with their approvals, newest first."""
        self._parts.access.require(actor, CERTIFICATE_READ, "certificate_request:*")

        def read(transaction: Transaction) -> Page[tuple[CertificateRequest, Approval]]:
            rows = self._certificates.requests.requests(transaction, actor.org_id, page)
            approvals = self._parts.approvals
            pairs = [(row, approvals.get(transaction, row.approval_id)) for row in rows]
            return page_of(pairs, page.limit, [(row.requested_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_certificate_request(
        self, actor: Actor, request_id: str
    ) -> tuple[CertificateRequest, Approval]:
        """Return one request with its approval; raise ``CertificateNotFound``."""
        target = f"certificate_request:{request_id}"
        self._parts.access.require(actor, CERTIFICATE_READ, target)

        def read(transaction: Transaction) -> tuple[CertificateRequest, Approval]:
            request = self._certificates.load_request(transaction, actor, request_id)
            return request, self._parts.approvals.get(transaction, request.approval_id)

        return self._parts.transactions.read(read)

    def _request(
        self, actor: Actor, wish: CertificateWish, proved: ProvedRequest
    ) -> CertificateRequest:
        names = proved.names.texts()
        default_name = names[0].partition(":")[2] if names else ""
        try:
            organization = check_text(wish.organization or proved.organization, "organization")
            common_name = check_text(proved.common_name or default_name, "common name")
        except NameRefused as error:
            raise CertificateRefused(str(error)) from error
        profile = PROFILES[cast("Profile", wish.profile)]
        if profile.names == "hosts" and common_name not in {
            name.partition(":")[2] for name in names
        }:
            why = Text(
                f"公用名 {common_name} 不在所列主机名称中",
                f"the common name {common_name!r} is none of the hosts that it names",
            )
            raise because(CertificateRefused, why)
        draft = CertificateRequest(
            id=self._parts.ids.new("crq"),
            org_id=actor.org_id,
            profile=wish.profile,
            organization=organization,
            common_name=common_name,
            names=names,
            ignored=proved.ignored,
            key_algorithm=proved.key_algorithm,
            key_digest=proved.key_digest,
            csr=wish.csr,
            reason=wish.reason,
            requester_id=actor.id,
            requested_at=self._parts.clock.now(),
            approval_id=self._parts.ids.new("apr"),
            subject_hash="",
            renews=wish.renews,
        )
        return replace(draft, subject_hash=request_hash(draft))

    def _require_renewable(
        self, transaction: Transaction, actor: Actor, request: CertificateRequest
    ) -> None:
        """Raise unless the new certificate says what the old one does, key and time aside."""
        old_id = request.renews or ""
        old = self._certificates.load_certificate(transaction, actor, old_id)
        before = self._certificates.requests.request_of(transaction, old_id)
        if before is None or before.certificate_id != old_id:
            why = Text(
                "该证书并非申请而得,不能换发",
                "this certificate was not asked for, so it is not renewed",
            )
            raise because(CertificateStateConflict, why)
        if self._certificates.authority.is_revoked(old):
            why = Text(
                "已吊销的证书不能换发,请重新申请",
                "a revoked certificate is not renewed: ask for a new one",
            )
            raise because(CertificateStateConflict, why)
        if _identity(before) != _identity(request):
            why = Text(
                "换发证书的模板、主体和名称须与原证书一致",
                "a renewal has the profile, subject and names of the certificate it follows",
            )
            raise because(CertificateRefused, why)


def require_usable_key(
    transaction: Transaction, authority: Authority, request: CertificateRequest
) -> None:
    """Raise ``CertificateRequestRejected`` for a key that was revoked, or is somebody else's.

    A request proves only that its key was there once: who copies one has no key.
    """
    for other in authority.store.of_key(transaction, request.key_digest):
        if authority.is_revoked(other):
            why = Text(
                "该密钥的证书已被吊销,请生成新密钥",
                "the key's certificate was revoked: make a new key",
            )
            raise because(CertificateRequestRejected, why)
        if other.org_id != request.org_id or other.kind not in REQUESTABLE:
            why = Text(
                "该密钥已用于其他单位或其他用途的证书",
                "the key is certified for somebody or something else",
            )
            raise because(CertificateRequestRejected, why)


def request_hash(request: CertificateRequest) -> str:
    """Return what the approval is bound to: any other certificate needs another approval."""
    return sha256(
        canonical(
            {
                "id": request.id,
                "org": request.org_id,
                "profile": request.profile,
                "organization": request.organization,
                "common_name": request.common_name,
                "names": list(request.names),
                "key": request.key_digest,
                "csr": sha256(request.csr).hex(),
                "renews": request.renews,
            }
        )
    ).hex()


def _identity(request: CertificateRequest) -> tuple[str, str, str, frozenset[str]]:
    names = frozenset(request.names)
    return request.profile, request.organization, request.common_name, names


def _prove(wish: CertificateWish) -> ProvedRequest:
    if wish.profile not in REQUESTABLE:
        msg = f"profiles that can be asked for: {', '.join(REQUESTABLE)}"
        raise Invalid(msg)
    profile = PROFILES[wish.profile]
    try:
        proved = verify_request(wish.csr)
    except RequestRefused as error:
        raise because(CertificateRequestRejected, error.why) from error
    if proved.key_algorithm not in profile.keys:
        kinds = ", ".join(sorted(profile.keys))
        why = Text(
            f"{wish.profile} 证书的密钥须为:{kinds}",
            f"a {wish.profile} certificate is for a key of {kinds}",
        )
        raise because(CertificateRequestRejected, why)
    try:
        check_names(proved.names, profile.names)
    except NameRefused as error:
        raise CertificateRefused(str(error)) from error
    return proved


def _approval(request: CertificateRequest) -> Approval:
    return Approval(
        id=request.approval_id,
        org_id=request.org_id,
        kind=_APPROVAL_KIND,
        subject=f"certificate_request:{request.id}",
        subject_hash=request.subject_hash,
        permission=CERTIFICATE_APPROVE,
        requester_id=request.requester_id,
        requested_at=request.requested_at,
        expires_at=request.requested_at + _APPROVAL_DAYS * DAY,
    )
