"""Report signatures by the product's engines."""

from __future__ import annotations

from typing import Final

from audits.errors import ReportRejected
from audits.models.reports import ReportSignature
from secops.crypto import signatures
from secops.crypto.options import DEFAULT
from secops.kernel.errors import SecopsError, Unavailable

_ALGORITHMS: Final = {"sm2-sm3": "sm2", "ecdsa-p256-sha256": "ecdsa-p256"}


class EngineReportVerifier:
    """Implements ``audits.ports.ReportVerifier``."""

    def verify_report_signature(self, signature: ReportSignature, message: bytes) -> None:
        """Return if it verifies; raise ``ReportRejected`` otherwise."""
        algorithm = _ALGORITHMS.get(signature.algorithm)
        if algorithm is None:
            raise ReportRejected(f"the algorithm {signature.algorithm!r} is unknown")
        try:
            key = signatures.public_key(algorithm, signature.public_key)
            key.verify(signature.signature, message, DEFAULT)
        except Unavailable:
            raise
        except SecopsError as error:
            raise ReportRejected(f"the {signature.algorithm} signature fails") from error
