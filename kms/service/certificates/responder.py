"""The OCSP responder: what was revoked is revoked in the next answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.rfc5280.writing import Name
from kms.core.rfc6960.requests import CertificateId, OcspRequest, read_request
from kms.core.rfc6960.responses import (
    AnswerContent,
    Failure,
    Revoked,
    SingleAnswer,
    answer,
    answer_to_sign,
    failure,
)
from kms.core.x690 import DerError
from kms.models.certificates import AUTHORITY_NAMES, REVOCATION_REASONS, AuthorityName
from kms.models.seal_registry import IssuedCertificate
from kms.models.seals import MARKING
from kms.service.authority import ORGANIZATION, ROOT_ALGORITHMS, Authority, Order
from kms.service.document_authority import DocumentAuthority
from kms.service.public_limits import RateLimit
from secops.crypto.certificates import Certificate, read_certificate
from secops.kernel.actors import ROOT_ORG, system_actor
from secops.kernel.clock import DAY, MINUTE, SECOND
from secops.kernel.errors import NotFound, Unavailable
from secops.kernel.transactions import Transaction

LIFETIME: Final = 10 * MINUTE
"""How long an answer stands; what is revoked shows in the next one."""

_PER_MINUTE: Final = 600
_PERIOD: Final = 30 * DAY
"""A responder's key and certificate serve this long; the certificate runs for two of them."""
_PRODUCT: Final = system_actor("kms")


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """An OCSPResponse in DER. ``expires_at`` None is one that no cache may keep."""

    content: bytes
    produced_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class _Issuer:
    name: AuthorityName
    issued: IssuedCertificate
    certificate: Certificate


class OcspResponder:
    """Answers for both roots of the built-in CA, each by a responder that it delegated to."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._parts = authority.parts
        self._limit = RateLimit(authority.parts.clock, _PER_MINUTE, "questions")

    def answer_ocsp(self, encoded: bytes, *, caller: str | None = None) -> OcspAnswer:
        """Return the answer to the OCSPRequest ``encoded``; a refusal is an answer, too.

        ``caller`` is the address that asks: 600 questions a minute (``TooMany``).
        """
        if caller is not None:
            self._limit.spend(caller)
        now = self._parts.clock.now() // SECOND * SECOND
        try:
            request = read_request(encoded)
        except DerError:
            return OcspAnswer(failure(Failure.MALFORMED_REQUEST), now)
        try:
            issuer = self._issuer_of(request.certificates[0])
            if issuer is None:
                return OcspAnswer(failure(Failure.UNAUTHORIZED), now)
            content = self._answer(request, issuer, now)
        except Unavailable:  # the pool is locked, or the news of revocations too old
            return OcspAnswer(failure(Failure.TRY_LATER), now)
        # with a nonce it answers one question and no other
        return OcspAnswer(content, now, None if request.nonce else now + LIFETIME)

    def _issuer_of(self, wanted: CertificateId) -> _Issuer | None:
        for name in AUTHORITY_NAMES:
            try:
                root = self._authority.find_root(name)
            except NotFound:
                continue
            certificate = read_certificate(root.der)
            if wanted.is_of(certificate):
                return _Issuer(name, root, certificate)
        return None

    def _answer(self, request: OcspRequest, issuer: _Issuer, now: int) -> bytes:
        responder = self._ensure_responder(issuer, now)

        def look(transaction: Transaction) -> list[SingleAnswer]:
            return [self._single(transaction, each, issuer, now) for each in request.certificates]

        signed = answer_to_sign(
            AnswerContent(
                responder_spki=read_certificate(responder.der).spki,
                produced_at=now,
                next_update=now + LIFETIME,
                answers=self._parts.transactions.read(look),
                nonce=request.nonce,
            )
        )
        signature = self._authority.keys.sign(responder.key_name, signed)
        return answer(signed, signature, ROOT_ALGORITHMS[issuer.name], [responder.der])

    def _single(
        self, transaction: Transaction, wanted: CertificateId, issuer: _Issuer, now: int
    ) -> SingleAnswer:
        found = None
        if wanted.is_of(issuer.certificate):
            store = self._authority.store
            found = store.by_serial(transaction, issuer.issued.id, wanted.serial)
        if found is None or not self._authority.is_revoked(found):
            return SingleAnswer(wanted, issued=found is not None)
        reason = REVOCATION_REASONS.get(found.revocation_reason, 0)
        since = now if found.revoked_at is None else found.revoked_at
        return SingleAnswer(wanted, issued=True, revoked=Revoked(since, reason))

    def _ensure_responder(self, issuer: _Issuer, now: int) -> IssuedCertificate:
        algorithm = ROOT_ALGORITHMS[issuer.name]
        order = Order(
            profile="ocsp_responder",
            org_id=ROOT_ORG,
            key_name=f"ocsp-{issuer.name}-{now // _PERIOD}",
            subject=Name(ORGANIZATION, MARKING, f"内置测试 OCSP {now // _PERIOD}"),
            algorithm=algorithm,
        )
        return DocumentAuthority(self._authority).ensure(_PRODUCT, order, issuer.issued)
