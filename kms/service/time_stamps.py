"""The time-stamp authority (RFC 3161): says that a digest was there at a time.

Imprints of SHA-2 are signed with ECDSA under the document root, those of SM3 with SM2 under
the root of seals. Each token is a leaf of the ledger before it is given out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.rfc3161.requests import (
    RequestRejected,
    TimeStampRequest,
    imprint_request,
    read_request,
)
from kms.core.rfc3161.writing import TST_INFO, Stamp, granted, query, rejected, tst_info
from kms.core.rfc5280.writing import Name
from kms.core.rfc5652.schemes import SCHEMES
from kms.core.rfc5652.writing import Signing, signed_attributes, signed_data
from kms.errors.time_stamps import TimeStampUnavailable
from kms.models.seal_registry import CertificateKind, IssuedCertificate
from kms.models.seals import MARKING
from kms.models.time_stamps import StamperKey
from kms.service.authority import ORGANIZATION, Authority, Order
from kms.service.document_authority import DocumentAuthority
from kms.service.public_limits import RateLimit
from secops.crypto import hashes
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.errors import InvalidSignature
from secops.crypto.options import DEFAULT
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.permissions.kms import KEY_ROTATE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

POLICY: Final = "2.25.156560744795233227778002183283493783289"
"""Ours, under the arc of UUIDs (X.667): the practice that docs/manual/time_stamps.md states."""

ACCURACY: Final = 1
"""Seconds; genTime is cut to the second."""

PER_MINUTE: Final = 120
"""Tokens for one address."""

_KEYS: Final[dict[StamperKey, tuple[CertificateKind, str]]] = {
    "sm2": ("time_stamper", "time-stamp-sm2"),
    "ecdsa-p256": ("document_time_stamper", "time-stamp-ecdsa"),
}
_ACTION: Final = "kms.create_time_stamp"
_RANDOM_BYTES: Final = 9
_RANDOM_BITS: Final = 8 * _RANDOM_BYTES
_PRODUCT: Final = system_actor("kms")
_ANYBODY: Final = system_actor("time-stamps")


def _place(algorithm: StamperKey, number: int) -> tuple[CertificateKind, str]:
    """Return what the certificate of the authority's key ``number`` (from 1) is kept as."""
    kind, name = _KEYS[algorithm]
    return kind, name if number == 1 else f"{name}-{number}"


@dataclass(frozen=True, slots=True)
class TimeStampReply:
    """A TimeStampResp in DER; ``granted`` tells whether a token is in it."""

    content: bytes
    granted: bool


@dataclass(frozen=True, slots=True)
class _Wanted:
    actor: Actor
    request: TimeStampRequest


def time_stamp_query(hash_name: str, digest: bytes) -> bytes:
    """Return a TimeStampReq over ``digest`` that asks for the certificate; raises ``Invalid``."""
    return query(imprint_request(hash_name, digest))


class TimeStampAuthority:
    """Makes time-stamp tokens; fills the port ``TimeStamps``."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._parts = authority.parts
        self._documents = DocumentAuthority(authority)
        self._seen: dict[StamperKey, int] = {}
        self._limit = RateLimit(authority.parts.clock, PER_MINUTE)

    def stamp(self, hash_name: str, digest: bytes) -> bytes:
        """Return a token over ``digest``, with the authority's certificate in it.

        Raises ``Invalid``, ``TimeStampUnavailable``, ``PoolLocked``, ``AuditUnavailable``.
        """
        return self._token(_Wanted(_PRODUCT, imprint_request(hash_name, digest)))

    def create_time_stamp(
        self, content: bytes, *, actor: Actor | None = None, caller: str | None = None
    ) -> TimeStampReply:
        """Return the answer to the TimeStampReq ``content``; a refusal is an answer, too.

        ``caller`` is the address that asks, None for a command: 120 a minute (``TooMany``).
        Raises ``TimeStampUnavailable``, ``PoolLocked``, ``AuditUnavailable``.
        """
        if caller is not None:
            self._limit.spend(caller)
        actor = actor or _ANYBODY
        try:
            request = read_request(content, (POLICY,))
        except RequestRejected as error:
            details = {"failure": error.failure.name.lower()}
            refusal = Act(_ACTION, actor, "time_stamp:none", "refused", details, bulk=True)
            self._parts.trail.append([refusal])
            return TimeStampReply(rejected(error.failure, str(error)), granted=False)
        return TimeStampReply(granted(self._token(_Wanted(actor, request))), granted=True)

    def rotate_time_stamper(self, actor: Actor, algorithm: StamperKey) -> IssuedCertificate:
        """Give the authority a new key and certificate: every later token is made with them.

        For one that ends, or was revoked; its issue is recorded. Raises ``PoolLocked``.
        """
        self._parts.access.require(actor, KEY_ROTATE, f"time_stamper:{algorithm}")
        self._ensure_stamper(algorithm)
        return self._make_stamper(algorithm, self._seen.get(algorithm, 1) + 1, actor)

    def _token(self, wanted: _Wanted) -> bytes:
        request = wanted.request
        algorithm: StamperKey = "sm2" if request.hash_name == "sm3" else "ecdsa-p256"
        issued = self._ensure_stamper(algorithm)
        signer = read_certificate(issued.der)
        # after the certificate was issued, which may have been just now
        now = self._parts.clock.now()
        self._require_usable(issued, now)
        scheme = SCHEMES[algorithm]
        serial = self._serial(now)
        content = tst_info(request, Stamp(POLICY, serial, now, ACCURACY, signer.subject))
        inside = (signer.der,) if request.certificates else ()
        signing = Signing(signer, inside, scheme, TST_INFO, content)
        attributes = signed_attributes(hashes.digest(scheme.hash_name, content), signing)
        signature = self._authority.keys.sign(issued.key_name, attributes)
        _require_signed(signer, attributes, signature)
        token = signed_data(attributes, signature, signing)
        details = {
            "hash": request.hash_name,
            "imprint": request.digest.hex(),
            "certificate": issued.id,
            "token_sm3": hashes.sm3(token).hex(),
        }
        act = Act(_ACTION, wanted.actor, f"time_stamp:{serial:x}", details=details)
        self._parts.trail.append([act])
        return token

    def _serial(self, now: int) -> int:
        """Return a number that no other token has: the microsecond, then 72 random bits.

        Processes and restarts share nothing but the certificate, so nothing is counted.
        """
        noise = int.from_bytes(self._parts.randomness.bytes(_RANDOM_BYTES), "big")
        return now << _RANDOM_BITS | noise

    def _ensure_stamper(self, algorithm: StamperKey) -> IssuedCertificate:
        """Return the newest certificate of the authority, as it is now; the first is made."""
        found = self._parts.transactions.read(
            lambda transaction: self._newest(transaction, algorithm)
        )
        return found or self._make_stamper(algorithm, 1, _PRODUCT)

    def _newest(self, transaction: Transaction, algorithm: StamperKey) -> IssuedCertificate | None:
        """Return the last of the authority's keys' certificates; none is left out between."""
        store, number = self._authority.store, self._seen.get(algorithm, 1)
        newest, found = None, store.find(transaction, *_place(algorithm, number))
        while found is not None:
            self._seen[algorithm] = number
            newest, number = found, number + 1
            found = store.find(transaction, *_place(algorithm, number))
        return newest

    def _make_stamper(self, algorithm: StamperKey, number: int, actor: Actor) -> IssuedCertificate:
        if algorithm == "sm2":
            root, name = self._authority.ensure_issuers(actor).root, "内置测试时间戳 SM2"
        else:
            root, name = self._documents.ensure_document_root(actor), "内置测试时间戳 P-256"
        subject = Name(ORGANIZATION, MARKING, name if number == 1 else f"{name} {number}")
        _, key_name = _place(algorithm, number)
        order = Order("time_stamper", ROOT_ORG, key_name, subject, algorithm)
        return self._documents.ensure(actor, order, root)

    def _require_usable(self, issued: IssuedCertificate, now: int) -> None:
        in_time = issued.not_before <= now <= issued.not_after
        if not in_time or self._authority.is_revoked(issued):
            msg = "the authority's certificate is revoked or out of its time"
            raise TimeStampUnavailable(msg)


def _require_signed(signer: Certificate, attributes: bytes, signature: bytes) -> None:
    """Raise ``TimeStampUnavailable`` unless the certificate's key made ``signature``.

    A fault, or a key that was rotated under its certificate, must not reach anybody.
    """
    try:
        signer.public_key().verify(signature, attributes, DEFAULT)
    except InvalidSignature as error:
        msg = "the pool's signature does not fit the authority's certificate"
        raise TimeStampUnavailable(msg) from error
