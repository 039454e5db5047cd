"""What seals need of PDF: a place for a signature's bytes, and the signatures of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

PADES: Literal["ETSI.CAdES.detached"] = "ETSI.CAdES.detached"
SES: Literal["GBT38540.SES"] = "GBT38540.SES"
"""Our own subfilter: /Contents holds a SES_Signature (GB/T 38540), whose keys are SM2."""

TIME_STAMP: Literal["ETSI.RFC3161"] = "ETSI.RFC3161"
"""/Contents holds a time-stamp token over the document (ISO 32000-2 §12.8.5)."""

MAX_PAGES: Final = 10_000
"""Pages of a PDF that takes a seal."""

SubFilter = Literal["ETSI.CAdES.detached", "GBT38540.SES"]


@dataclass(frozen=True, slots=True)
class PdfPlace:
    """What a signature's field shows: a PNG of ``width`` × ``height`` mm on a page.

    ``page`` counts from 1, from the end below zero; ``x`` and ``y`` are mm from the page's
    upper left corner, None for the usual place at the lower right.
    """

    picture: bytes
    width: int
    height: int
    page: int
    x: float | None
    y: float | None


@dataclass(frozen=True, slots=True)
class PdfRequest:
    """A signature to be prepared: ``signed_at`` is UTC µs, ``reserved`` bytes are kept free.

    Without a ``place`` nothing of it is shown.
    """

    subfilter: SubFilter
    name: str
    signed_at: int
    reserved: int
    place: PdfPlace | None


@dataclass(frozen=True, slots=True)
class PreparedPdf:
    """A whole PDF whose signature's hex string, with its brackets, lies at ``start:end``."""

    content: bytes
    start: int
    end: int

    @property
    def signed(self) -> bytes:
        """What is signed: all but the hex string."""
        return self.content[: self.start] + self.content[self.end :]

    @property
    def room(self) -> int:
        """Bytes that a value may have."""
        return (self.end - self.start - 2) // 2

    def filled(self, value: bytes) -> bytes:
        """Return the PDF with ``value``, at most ``room`` bytes, and zeros behind it."""
        written = b"<" + value.ljust(self.room, b"\x00").hex().encode() + b">"
        return self.content[: self.start] + written + self.content[self.end :]


@dataclass(frozen=True, slots=True)
class FoundSignature:
    """One signature of a PDF, unproved but for the arithmetic.

    ``byte_range`` is (0, start, end, rest) and checked to leave out exactly the hex string of
    ``contents``. ``unchanged`` tells that nothing but further signatures and form fields came
    after it, ``validation_data`` that it was exactly certificates and revocations (DSS).
    ``intact`` and ``valid`` are about its CMS (digest, signature), None for another subfilter;
    SES_Signatures and time-stamps are judged whole elsewhere.
    """

    field: str
    subfilter: str
    signed_at: int | None
    byte_range: tuple[int, int, int, int]
    contents: bytes
    covers_file: bool
    unchanged: bool
    validation_data: bool = False
    intact: bool | None = None
    valid: bool | None = None
    signer_certificate: bytes = b""
    digest_algorithm: str = ""
    problem: str = ""

    def signed_bytes(self, document: bytes) -> bytes:
        """Return all of ``document`` that the range covers."""
        _, start, end, rest = self.byte_range
        return document[:start] + document[end : end + rest]


@dataclass(frozen=True, slots=True)
class ValidationData:
    """Certificates, CRLs and OCSP responses in DER: what a judge of later times needs."""

    certificates: tuple[bytes, ...] = ()
    revocation_lists: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadPdf:
    """The signatures of a PDF, and what its security store (DSS) holds: nothing is proved."""

    signatures: tuple[FoundSignature, ...]
    validation_data: ValidationData = ValidationData()


class PdfFiles(Protocol):
    """Reads and writes PDF, hostile ones too: within limits of time and memory."""

    def prepare(self, document: bytes, request: PdfRequest) -> PreparedPdf:
        """Return ``document`` with room for a signature; raise ``DocumentRejected``."""
        ...

    def add_validation_data(self, document: bytes, data: ValidationData) -> bytes:
        """Return ``document`` with ``data`` in its security store behind all that is there.

        Raises ``DocumentRejected``.
        """
        ...

    def prepare_time_stamp(self, document: bytes, reserved: int) -> PreparedPdf:
        """Return ``document`` with room for a token over all of it; raise ``DocumentRejected``."""
        ...

    def read(self, document: bytes) -> ReadPdf:
        """Return the signatures in ``document``; raise ``DocumentRejected``."""
        ...
