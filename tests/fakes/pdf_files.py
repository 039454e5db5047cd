"""PDF without the child process: the same code in this one, for tests that ask often."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from kms.adapters.pdf import extending, signing, validating
from kms.adapters.pdf.client import read_pdf
from kms.errors.seals import DocumentRejected
from kms.ports.pdf import PdfRequest, PreparedPdf, ReadPdf, ValidationData


class PdfInProcess:
    """Trusts its input with this process's time and memory."""

    def prepare(self, document: bytes, request: PdfRequest) -> PreparedPdf:
        with _refusing():
            return PreparedPdf(*signing.prepare(io.BytesIO(document), asdict(request)))

    def add_validation_data(self, document: bytes, data: ValidationData) -> bytes:
        encoded = {
            name: [base64.b64encode(each).decode() for each in values]
            for name, values in asdict(data).items()
        }
        with _refusing():
            return extending.add_validation_data(io.BytesIO(document), encoded)

    def prepare_time_stamp(self, document: bytes, reserved: int) -> PreparedPdf:
        with _refusing():
            return PreparedPdf(*extending.prepare_time_stamp(io.BytesIO(document), reserved))

    def read(self, document: bytes) -> ReadPdf:
        with _refusing():
            return read_pdf(validating.read(document))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise DocumentRejected(str(error)) from error
