"""PDF by pyHanko, as the port wants it."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass, field
from typing import Any

from kms.adapters.pdf.processes import PdfProcesses
from kms.ports.pdf import FoundSignature, PdfRequest, PreparedPdf, ReadPdf, ValidationData


@dataclass(frozen=True, slots=True)
class PyHankoFiles:
    """Asks a child process about each PDF. Raises ``TooMany``, ``Unavailable``."""

    processes: PdfProcesses = field(default_factory=PdfProcesses)

    def prepare(self, document: bytes, request: PdfRequest) -> PreparedPdf:
        """Return ``document`` with room for a signature; raise ``DocumentRejected``."""
        wanted = asdict(request)
        if request.place is not None:
            wanted["place"]["picture"] = base64.b64encode(request.place.picture).decode()
        answer, content = self.processes.demand({"do": "prepare", **wanted}, document)
        return PreparedPdf(content, answer["start"], answer["end"])

    def add_validation_data(self, document: bytes, data: ValidationData) -> bytes:
        """Return ``document`` with ``data`` in its DSS; raise ``DocumentRejected``."""
        wanted = {
            name: [base64.b64encode(each).decode() for each in values]
            for name, values in asdict(data).items()
        }
        _, content = self.processes.demand({"do": "add_validation_data", **wanted}, document)
        return content

    def prepare_time_stamp(self, document: bytes, reserved: int) -> PreparedPdf:
        """Return ``document`` with room for a time-stamp; raise ``DocumentRejected``."""
        wanted = {"do": "prepare_time_stamp", "reserved": reserved}
        answer, content = self.processes.demand(wanted, document)
        return PreparedPdf(content, answer["start"], answer["end"])

    def read(self, document: bytes) -> ReadPdf:
        """Return the signatures in ``document``; raise ``DocumentRejected``."""
        answer, _ = self.processes.demand({"do": "read"}, document)
        return read_pdf(answer)


def read_pdf(answer: dict[str, Any]) -> ReadPdf:
    """Return what the child found, out of its record."""
    data = {
        name: tuple(map(base64.b64decode, values))
        for name, values in answer["validation_data"].items()
    }
    return ReadPdf(tuple(map(_found, answer["signatures"])), ValidationData(**data))


def _found(record: dict[str, Any]) -> FoundSignature:
    fields = {
        **record,
        "byte_range": tuple(record["byte_range"]),
        "contents": base64.b64decode(record["contents"]),
        "signer_certificate": base64.b64decode(record["signer_certificate"]),
    }
    return FoundSignature(**fields)
