"""A single use of a seal that somebody asks for: which document, where on it, what for."""

from __future__ import annotations

from dataclasses import dataclass, field

from kms.models.seal_registry import UseForm
from kms.models.stamps import Stamping


@dataclass(frozen=True, slots=True)
class SealUseWish:
    """What a holder asks for.

    ``digest`` is the document's SM3. ``document`` is the file itself, kept for whoever
    approves; None where only its digest shall leave the holder's machine.
    """

    seal_id: str
    digest: bytes
    file_name: str
    form: UseForm
    purpose: str
    stamping: Stamping = field(default_factory=Stamping)
    document_class: str = ""
    document: bytes | None = None


@dataclass(frozen=True, slots=True)
class SealUseRequest:
    """A wish as it is kept; ``approval_id`` is the kernel's approval of exactly this.

    ``digest`` is hex. ``document`` names the kept, encrypted file, empty where there is none
    (any more), ``size`` its bytes. ``use_id`` is empty until it was used.
    """

    id: str
    org_id: str
    seal_id: str
    requester_id: str
    requester: str
    digest: str
    file_name: str
    form: UseForm
    stamping: Stamping
    document_class: str
    purpose: str
    document: str
    size: int
    requested_at: int
    expires_at: int
    approval_id: str
    subject_hash: str
    use_id: str = ""
