"""Reports with their proofs, and what verification proved of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ReportSignature:
    """A signature over the claims of a report's proof (canonical JSON).

    ``algorithm`` is ``sm2-sm3`` or ``ecdsa-p256-sha256``; ``signature`` DER, key SPKI DER.
    """

    algorithm: str
    key: str
    public_key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """A rendered report with its proof (the content of ``FILE.proof``)."""

    name: str
    media_type: str
    content: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class VerifiedReport:
    """A report whose digests, signatures and ledger entry were all checked.

    ``finding`` is the item, where only one was proved; ``template`` the SHA-256 (hex) of the
    office's own template that the file was written with.
    """

    sha256: str
    sm3: str
    assessment_id: str
    signed_by: tuple[str, ...]
    entry: int | None
    checkpoint: str | None
    finding: Mapping[str, Any] | None = None
    template: str = ""


@dataclass(frozen=True, slots=True)
class PdfRead:
    """What a PDF file shows as text, the files it carries, whether it links to the outside."""

    text: str
    attached: tuple[bytes, ...]
    links_outside: bool


@dataclass(frozen=True, slots=True)
class ExportedReport:
    """One line of the list of exports: which file left, when, by whom, for whom.

    ``form`` is a form of reports, or ``archive``. ``partners`` are those it was encrypted to.
    """

    id: str
    org_id: str
    assessment_id: str
    form: str
    language: str
    sha256: str
    sm3: str
    length: int
    account_id: str
    exported_by: str
    at: int
    partners: str = ""


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of an archive as its manifest names it; digests in hex."""

    path: str
    size: int
    sha256: str
    sm3: str
