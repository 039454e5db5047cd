"""Requests for certificates, trust anchors of outside CAs, and their revocation lists.

Times are UTC microseconds; digests SHA-256 in lower-case hex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kms.models.seal_registry import IssuedCertificate
from secops.kernel.approvals import Approval

RequestState = Literal["requested", "issued"]
AnchorUse = Literal["seals", "documents", "time_stamps"]
AnchorState = Literal["proposed", "active", "retired"]
OutsideRole = Literal["maker", "holder"]
AuthorityName = Literal["root", "document"]

ANCHOR_USES: Final[tuple[AnchorUse, ...]] = ("seals", "documents", "time_stamps")
MAX_OCSP_REQUEST: Final = 8 << 10
"""Bytes of an OCSPRequest."""

AUTHORITY_NAMES: Final[tuple[AuthorityName, ...]] = ("root", "document")
"""The built-in CA's two roots: SM2, and P-256 for readers that know no SM2."""

REVOCATION_REASONS: Final[dict[str, int]] = {
    "unspecified": 0,
    "key_compromise": 1,
    "affiliation_changed": 3,
    "superseded": 4,
    "cessation_of_operation": 5,
    "privilege_withdrawn": 9,
}
"""CRLReason (RFC 5280 §5.3.1): those that an operator gives; no hold, which can be lifted."""


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What somebody wants certified. ``names`` are ``kind:name`` texts.

    ``csr`` is the PKCS#10 in DER; ``ignored`` what stood in it and is not taken over;
    ``renews`` the certificate it follows. ``enveloped_key`` is the encryption key of a pair
    (GB/T 35276 §7.4), once issued, and ``encryption_id`` its certificate.
    """

    id: str
    org_id: str
    profile: str
    organization: str
    common_name: str
    names: tuple[str, ...]
    ignored: tuple[str, ...]
    key_algorithm: str
    key_digest: str
    csr: bytes
    reason: str
    requester_id: str
    requested_at: int
    approval_id: str
    subject_hash: str
    state: RequestState = "requested"
    renews: str | None = None
    certificate_id: str | None = None
    encryption_id: str | None = None
    enveloped_key: bytes = b""


@dataclass(frozen=True, slots=True)
class CertificateWish:
    """What is sent in: a ``profile``, a PKCS#10 in DER, and why.

    ``organization`` takes the place of the one in the PKCS#10, "" leaves it.
    """

    profile: str
    csr: bytes
    reason: str
    organization: str = ""
    renews: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateFilter:
    """Which certificates a list shows: ``text`` stands in the subject or begins the serial."""

    text: str = ""
    kind: str = ""
    revoked: bool | None = None


@dataclass(frozen=True, slots=True)
class CertificateDetails:
    """A certificate with those above it, the nearest first, and whether it is revoked now."""

    certificate: IssuedCertificate
    issuers: tuple[IssuedCertificate, ...]
    revoked: bool
    request: CertificateRequest | None = None


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """A certificate of an outside CA that is believed for ``uses``.

    ``proposed`` until another than ``requester_id`` approves; ``retired`` ones stay on record.
    """

    id: str
    org_id: str
    der: bytes
    subject: str
    fingerprint: str
    uses: tuple[AnchorUse, ...]
    not_before: int
    not_after: int
    reason: str
    requester_id: str
    requested_at: int
    approval_id: str
    subject_hash: str
    state: AnchorState = "proposed"
    state_reason: str = ""
    state_at: int | None = None


@dataclass(frozen=True, slots=True)
class OutsideList:
    """The newest revocation list of an anchor; ``number`` only grows."""

    anchor_id: str
    org_id: str
    number: int
    der: bytes
    this_update: int
    next_update: int
    imported_at: int
    imported_by: str


@dataclass(frozen=True, slots=True)
class OutsideRequest:
    """Whose key an outside CA certifies: the maker's, or the holder's at an application's place.

    Places count from 0, in the order in which the application names its holders.
    """

    role: OutsideRole
    application_id: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True)
class AnchorEntry:
    """An anchor as lists show it: with its approval and its newest revocation list."""

    anchor: TrustAnchor
    approval: Approval
    revocation_list: OutsideList | None
