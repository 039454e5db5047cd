"""Use a seal (用章) on a PDF: by PAdES, or with the seal's own SM2 under a subfilter of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from kms.core.etsi319142.verification import PROPERTY_INFO, verify_pdf
from kms.core.gbt38540.evidence import Trust
from kms.core.gbt38540.reading import read_seal
from kms.core.rfc5280.writing import Name
from kms.core.rfc5652.writing import Signing, signed_attributes, signed_data
from kms.core.x690 import read_der
from kms.errors.seals import DocumentRejected, SealRejected
from kms.models.seal_registry import UseForm
from kms.models.seals import MARKING
from kms.models.stamps import LAST_PAGE, Stamping, StampRequest
from kms.ports.pdf import MAX_PAGES, PADES, SES, PdfPlace, PdfRequest
from kms.service.authority import common_name
from kms.service.document_authority import DocumentAuthority, document_key_name
from kms.service.seals.parts import SealParts
from kms.service.seals.uses import (
    PreparedDocument,
    ReadySeal,
    SealUses,
    WantedUse,
    require_size,
    require_valid,
)
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor

_RESERVED: Final = 8 << 10
"""Bytes for a CMS with two certificates."""


@dataclass(frozen=True, slots=True)
class _Signer:
    """A P-256 key of the pool, its certificate, and the root's."""

    key_name: str
    certificate: Certificate
    root: bytes


class PdfStamping:
    """Puts seals into PDFs."""

    def __init__(self, seals: SealParts, uses: SealUses) -> None:
        self._seals = seals
        self._uses = uses

    def prepare(self, actor: Actor, seal_id: str, wish: StampRequest) -> PreparedDocument:
        """Return the PDF with one more signature over all of it, its use not yet entered.

        Raises ``DocumentRejected``, ``TooLarge``, and what ``use_seal`` raises.
        """
        standard, document = wish.standard, wish.document
        form: UseForm = "pdf" if standard == "pades" else "pdf_sm2"
        wanted = WantedUse(
            actor,
            seal_id,
            sm3(document),
            wish.purpose,
            form=form,
            document_class=wish.document_class,
            request_id=wish.request_id,
        )
        ready = self._uses.open_seal(wanted)
        _require_place(wish.stamping)
        # before the signing time is set: a new certificate begins now
        signer = self._signer(actor, ready) if standard == "pades" else None
        prepared = self._seals.pdf.prepare(document, self._request(ready, wish))
        if signer is None:
            value = self._uses.sign(ready, sm3(prepared.signed), PROPERTY_INFO)
        else:
            value = self._cms(signer, sha256(prepared.signed))
        room = (prepared.end - prepared.start - 2) // 2
        if len(value) > room:
            msg = f"the signature has {len(value)} bytes, and {room} were kept free"
            raise SealRejected(msg)
        written = b"<" + value.ljust(room, b"\x00").hex().encode() + b">"
        sealed = prepared.content[: prepared.start] + written + prepared.content[prepared.end :]
        require_size(sealed)
        self._require_valid(document, sealed)
        return PreparedDocument(wanted, value, sealed)

    def _request(self, ready: ReadySeal, wish: StampRequest) -> PdfRequest:
        pades, stamping = wish.standard == "pades", wish.stamping
        picture = read_seal(read_der(ready.content)).picture
        place = stamping.places[0] if stamping.places else None
        return PdfRequest(
            subfilter=PADES if pades else SES,
            name=ready.record.name,
            signed_at=self._seals.parts.clock.now(),
            reserved=_RESERVED if pades else len(ready.content) + _RESERVED,
            place=PdfPlace(
                picture.data,
                picture.width,
                picture.height,
                page=LAST_PAGE if place is None else place.page,
                x=None if place is None else place.x,
                y=None if place is None else place.y,
            ),
        )

    def _signer(self, actor: Actor, ready: ReadySeal) -> _Signer:
        """Return the holder's P-256 key in the pool and its certificate, made if need be."""
        holder = read_certificate(ready.certificate.der)
        subject = Name(ready.record.name, MARKING, common_name(holder.common_name))
        key_name = document_key_name(ready.certificate.id)
        signer, root = DocumentAuthority(self._seals.authority).ensure_document_signer(
            actor, ready.record.org_id, key_name, subject
        )
        return _Signer(key_name, read_certificate(signer.der), root.der)

    def _cms(self, signer: _Signer, digest: bytes) -> bytes:
        signing = Signing(signer.certificate, [signer.certificate.der, signer.root])
        attributes = signed_attributes(digest, signing)
        signature = self._seals.keys.sign(signer.key_name, attributes)
        return signed_data(attributes, signature, signing)

    def _require_valid(self, document: bytes, sealed: bytes) -> None:
        """Raise ``SealRejected`` unless the new signature verifies, and covers the whole file.

        The file begins with ``document``: what was given is what was sealed. Raises
        ``DocumentRejected`` where an earlier signature does not stand what came after it.
        """
        authority = self._seals.authority
        trust = Trust(
            self._seals.parts.clock.now(), authority.anchors(), authority.revocation_source()
        )
        read = self._seals.pdf.read(sealed)
        found, verdicts = read.signatures, verify_pdf(sealed, read, trust).signatures
        # a hostile file may hide the new signature from whoever looks for signatures
        if not sealed.startswith(document) or not any(each.covers_file for each in found):
            msg = "the sealed document does not show its signature; it is not given out"
            raise SealRejected(msg)
        for signature, verdict in zip(found, verdicts, strict=True):
            failed = {step.what for step in verdict.steps if step.ok is False}
            if signature.covers_file:
                require_valid(verdict)
            elif failed & {"range", "digest"}:
                msg = f"the earlier signature {signature.field} would not cover what is shown"
                raise DocumentRejected(msg)


def _require_place(stamping: Stamping) -> None:
    if stamping.edge is not None or len(stamping.places) > 1:
        msg = "a PDF signature has one place: no page edges, no second picture"
        raise DocumentRejected(msg)
    for place in stamping.places:
        # what JSON can't carry to whoever reads the PDF
        if not (math.isfinite(place.x) and math.isfinite(place.y)) or abs(place.page) > MAX_PAGES:
            msg = "the place is not on a page"
            raise DocumentRejected(msg)
