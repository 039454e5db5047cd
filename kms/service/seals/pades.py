"""Sign PDFs by PAdES, baseline levels B-B to B-LTA (ETSI EN 319 142-1 §6), by keys of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.rfc5280.writing import Name
from kms.core.rfc5652.reading import read_signed_data
from kms.core.rfc5652.schemes import SCHEMES, SIGNATURE_TIME_STAMP
from kms.core.rfc5652.writing import Signing, attribute, signed_attributes, signed_data
from kms.errors.seals import SealRejected
from kms.models.stamps import PadesKey, PadesLevel
from kms.ports.pdf import PreparedPdf, ValidationData
from kms.service.document_authority import DocumentAuthority
from kms.service.revocation_lists import sign_revocation_list
from kms.service.seals.parts import SealParts
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor

RESERVED: Final = 12 << 10
"""Bytes for a CMS with two certificates and a time-stamp with its own two."""

_HASH: Final = "sha256"


@dataclass(frozen=True, slots=True)
class SignerOrder:
    """Whose signer is wanted: ``key_name`` in the pool, of ``algorithm``."""

    org_id: str
    key_name: str
    subject: Name
    algorithm: PadesKey = "ecdsa-p256"


@dataclass(frozen=True, slots=True)
class PdfSigner:
    """A key of the pool, its certificate, and the root's."""

    key_name: str
    algorithm: PadesKey
    certificate: Certificate
    root: bytes


@dataclass(frozen=True, slots=True)
class PadesSignature:
    """What was put into a PDF: the values by which they are found again in it."""

    document: bytes
    contents: tuple[bytes, ...]

    @property
    def stripped(self) -> frozenset[bytes]:
        """The values without the zeros at their ends, as those in a file are compared."""
        return frozenset(each.rstrip(b"\0") for each in self.contents)


class PadesSigning:
    """Puts CMS signatures into prepared PDFs, and behind them what their level demands."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals

    def ensure_signer(self, actor: Actor, order: SignerOrder) -> PdfSigner:
        """Return the signer of ``order``, its key and certificate made if need be."""
        signer, root = DocumentAuthority(self._seals.authority).ensure_document_signer(
            actor, order.org_id, order.key_name, order.subject, order.algorithm
        )
        return PdfSigner(order.key_name, order.algorithm, read_certificate(signer.der), root.der)

    def sign(self, prepared: PreparedPdf, signer: PdfSigner, level: PadesLevel) -> PadesSignature:
        """Return the signed PDF; raises ``SealRejected`` where a value is too long.

        Raises what time-stamps and revocation lists raise: ``TimeStampUnavailable``,
        ``PoolLocked``, ``AuditUnavailable``.
        """
        value = self._cms(signer, sha256(prepared.signed), level)
        document = filled(prepared, value)
        if level in ("b-b", "b-t"):
            return PadesSignature(document, (value,))
        pdf = self._seals.pdf
        document = pdf.add_validation_data(document, self._validation_data(signer, value))
        if level == "b-lt":
            return PadesSignature(document, (value,))
        prepared = pdf.prepare_time_stamp(document, RESERVED)
        token = self._seals.time_stamps.stamp(_HASH, sha256(prepared.signed))
        return PadesSignature(filled(prepared, token), (value, token))

    def _cms(self, signer: PdfSigner, digest: bytes, level: PadesLevel) -> bytes:
        scheme = SCHEMES[signer.algorithm]
        signing = Signing(signer.certificate, [signer.certificate.der, signer.root], scheme)
        attributes = signed_attributes(digest, signing)
        signature = self._seals.keys.sign(signer.key_name, attributes, scheme.options)
        if level == "b-b":
            return signed_data(attributes, signature, signing)
        token = self._seals.time_stamps.stamp(_HASH, sha256(signature))
        stamped = attribute(SIGNATURE_TIME_STAMP, token)
        return signed_data(attributes, signature, signing, unsigned=[stamped])

    def _validation_data(self, signer: PdfSigner, value: bytes) -> ValidationData:
        """Return the chains of signer and time-stamp, and the list of the root above both."""
        (info,) = read_signed_data(value).signers
        tokens = info.unsigned[SIGNATURE_TIME_STAMP]
        stampers = [each for token in tokens for each in read_signed_data(token).certificates]
        certificates = dict.fromkeys((signer.certificate.der, signer.root, *stampers))
        revoked = sign_revocation_list(self._seals.authority, "document")
        return ValidationData(tuple(certificates), (revoked,))


def filled(prepared: PreparedPdf, value: bytes) -> bytes:
    """Return the PDF with ``value`` in the room kept for it; raises ``SealRejected``."""
    if len(value) > prepared.room:
        msg = f"the signature has {len(value)} bytes, and {prepared.room} were kept free"
        raise SealRejected(msg)
    return prepared.filled(value)
