"""PDF without the child process: the same code in this one, for tests that ask often."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kms.adapters.pdf import signing, validating
from kms.errors.seals import DocumentRejected
from kms.ports.pdf import FoundSignature, PdfRequest, PreparedPdf


class PdfInProcess:
    """Trusts its input with this process's time and memory."""

    def prepare(self, document: bytes, request: PdfRequest) -> PreparedPdf:
        try:
            return PreparedPdf(*signing.prepare(io.BytesIO(document), asdict(request)))
        except Exception as error:
            raise DocumentRejected(str(error)) from error

    def signatures(self, document: bytes) -> Sequence[FoundSignature]:
        try:
            return [_found(each) for each in validating.signatures(document)]
        except Exception as error:
            raise DocumentRejected(str(error)) from error


def _found(record: dict[str, Any]) -> FoundSignature:
    decoded = {name: base64.b64decode(record[name]) for name in ("contents", "signer_certificate")}
    return FoundSignature(**{**record, **decoded, "byte_range": tuple(record["byte_range"])})
