"""Seals in the registry: applied for, approved by another, made, used, suspended.

Times are UTC microseconds; digests SM3 in lower-case hex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kms.models.seals import MARKING

SealShape = Literal["round", "oval", "square"]
SealState = Literal["active", "suspended", "revoked", "destroyed"]
ApplicationState = Literal["applied", "made"]
CertificateKind = Literal[
    "root",
    "maker",
    "signer",
    "time_stamper",
    "document_root",
    "document_signer",
    "document_time_stamper",
    "ocsp_responder",
    "document_ocsp_responder",
    "document_signing",
    "tls_server",
    "tls_client",
    "sm2_signing",
    "sm2_encryption",
    "outside_maker",
    "outside_signer",
]
FormatVersion = Literal[4, 5]
UseForm = Literal["detached", "ofd", "pdf", "pdf_sm2"]
SealOrigin = Literal["local", "remote"]
"""Where a seal lives: in this key pool, or at the province's e-seal system."""

ORIGINS: Final[tuple[SealOrigin, ...]] = ("local", "remote")

FORMAT_VERSIONS: Final[tuple[FormatVersion, ...]] = (4, 5)
"""GB/T 38540-2020, and GM/T 0031-2025."""

SHAPES: Final[dict[SealShape, tuple[int, int]]] = {
    "round": (42, 42),
    "oval": (45, 30),
    "square": (25, 25),
}
"""Width and height in mm (国发〔1999〕25号: a county's round seal has 42 mm)."""

MIN_NAME: Final = 2
MAX_NAME: Final = 30
"""Characters of the text on a seal."""

SEAL_KINDS: Final[dict[SealShape, int]] = {"round": 1, "oval": 2, "square": 3}
"""SES_ESPropertyInfo.type by shape; v4 leaves the numbers to the maker."""


@dataclass(frozen=True, slots=True)
class HolderName:
    """Somebody who shall use a seal: the account's identifier and sign-in name."""

    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SealRequest:
    """What an applicant asks for: ``name`` is the text on the seal, ``holders`` sign-in names."""

    name: str
    shape: SealShape
    organization: str
    holders: tuple[str, ...]
    reason: str
    format_version: FormatVersion = 4
    code: str = ""
    picture: bytes | None = None
    origin: SealOrigin = "local"


@dataclass(frozen=True, slots=True)
class SealApplication:
    """An application for a seal; ``approval_id`` is the kernel's approval of it."""

    id: str
    org_id: str
    name: str
    shape: SealShape
    organization: str
    holders: tuple[HolderName, ...]
    reason: str
    applicant_id: str
    applied_at: int
    approval_id: str
    subject_hash: str
    state: ApplicationState = "applied"
    seal_id: str | None = None
    format_version: FormatVersion = 4
    code: str = ""
    picture: bytes | None = None
    origin: SealOrigin = "local"
    remote_reference: str = ""


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate of the built-in test CA, or of an outside CA for a key of the pool.

    ``key_name`` is its key in the pool, or the request it answers; ``issuer_id`` the
    certificate or trust anchor that issued it, "" for a root; ``key_digest`` the SHA-256 of
    its SPKI; ``requester_id`` who asked for it, "" where the product itself did.
    """

    id: str
    org_id: str
    kind: CertificateKind
    key_name: str
    subject: str
    serial: str
    der: bytes
    not_before: int
    not_after: int
    issued_at: int
    revoked_at: int | None = None
    issuer_id: str = ""
    key_digest: str = ""
    revocation_reason: str = ""
    requester_id: str = ""


@dataclass(frozen=True, slots=True)
class SealRecord:
    """A seal of this registry, always ``marking``: the built-in CA has no legal standing."""

    id: str
    org_id: str
    es_id: str
    name: str
    shape: SealShape
    application_id: str
    digest: str
    valid_from: int
    valid_until: int
    made_at: int
    made_by: str
    state: SealState = "active"
    state_reason: str = ""
    state_at: int | None = None
    marking: str = MARKING
    format_version: FormatVersion = 4
    origin: SealOrigin = "local"
    remote_reference: str = ""
    destroy_approval: str | None = None


@dataclass(frozen=True, slots=True)
class SealHolder:
    """Who may use a seal, with which certificate."""

    seal_id: str
    org_id: str
    account_id: str
    name: str
    certificate_id: str


@dataclass(frozen=True, slots=True)
class SealUse:
    """One entry of the usage ledger: who sealed what, into which ``form``."""

    id: str
    org_id: str
    seal_id: str
    account_id: str
    digest: str
    purpose: str
    used_at: int
    value_digest: str
    form: UseForm = "detached"
    document_class: str = ""
    leaf_hash: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A SES_Signature in DER, and its entry in the usage ledger."""

    value: bytes
    use: SealUse


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """A document with a new signature in it, and its entry in the usage ledger."""

    document: bytes
    use: SealUse
