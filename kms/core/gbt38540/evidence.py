"""What came with a seal, and what is judged."""

from __future__ import annotations

from dataclasses import dataclass

from kms.core.gbt38540.structures import Seal, SealSignature
from kms.core.trust import readable_certificate
from kms.models.seals import Step
from secops.crypto.certificates import Certificate
from secops.kernel.catalogue import Text


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came with a signature: the SM3 of the protected bytes, None without them.

    A container that judged digest and range itself gives its ``findings``.
    """

    document_digest: bytes | None = None
    findings: tuple[Step | Text, ...] | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged. A certificate is None where its bytes are no certificate."""

    seal: Seal
    signature: SealSignature | None
    evidence: Evidence
    maker: Certificate | None
    signer: Certificate | None

    @classmethod
    def of(cls, found: Seal | SealSignature, evidence: Evidence) -> Subject:
        """Return ``found`` with its certificates read."""
        if isinstance(found, Seal):
            return cls(found, None, evidence, readable_certificate(found.maker_certificate), None)
        return cls(
            seal=found.seal,
            signature=found,
            evidence=evidence,
            maker=readable_certificate(found.seal.maker_certificate),
            signer=readable_certificate(found.signer_certificate),
        )

    @property
    def signer_name(self) -> str | None:
        """The signer's name as its certificate says; None for a bare seal."""
        if self.signature is None:
            return None
        return self.signer.subject_name if self.signer else "?"
