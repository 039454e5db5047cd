"""Use a seal (用章) on a PDF: by PAdES, or with the seal's own SM2 under a subfilter of ours."""

from __future__ import annotations

import math

from kms.core.etsi319142.verification import PROPERTY_INFO, verify_pdf
from kms.core.gbt38540.reading import read_seal
from kms.core.gbt38540.structures import Picture
from kms.core.rfc5280.writing import Name
from kms.core.x690 import read_der
from kms.errors.seals import DocumentRejected, SealRejected
from kms.models.seals import MARKING
from kms.models.stamps import LAST_PAGE, PadesKey, Stamping, StampRequest
from kms.ports.pdf import MAX_PAGES, PADES, SES, PdfPlace, PdfRequest
from kms.service.authority import common_name
from kms.service.document_authority import document_key_name
from kms.service.seals.pades import (
    RESERVED,
    PadesSignature,
    PadesSigning,
    SignerOrder,
    filled,
)
from kms.service.seals.parts import SealParts
from kms.service.seals.uses import (
    PreparedDocument,
    ReadySeal,
    SealUses,
    WantedUse,
    require_size,
    require_valid,
)
from secops.crypto.certificates import read_certificate
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor


class PdfStamping:
    """Puts seals into PDFs."""

    def __init__(self, seals: SealParts, uses: SealUses) -> None:
        self._seals = seals
        self._uses = uses
        self._pades = PadesSigning(seals)

    def prepare(self, wanted: WantedUse, wish: StampRequest) -> PreparedDocument:
        """Return the PDF with one more signature over all of it, its use not yet entered.

        Raises ``DocumentRejected``, ``TooLarge``, and what ``use_seal`` raises.
        """
        ready = self._uses.open_seal(wanted)
        require_place(wish.stamping)
        sign = self._sign_pades if wish.standard == "pades" else self._sign_sm2
        signed = sign(wanted.actor, ready, wish)
        require_size(signed.document)
        self._require_valid(wish.document, signed)
        return PreparedDocument(wanted, signed.contents[0], signed.document)

    def _sign_sm2(self, _actor: Actor, ready: ReadySeal, wish: StampRequest) -> PadesSignature:
        prepared = self._seals.pdf.prepare(wish.document, self._request(ready, wish))
        value = self._uses.sign(ready, sm3(prepared.signed), PROPERTY_INFO)
        return PadesSignature(filled(prepared, value), (value,))

    def _sign_pades(self, actor: Actor, ready: ReadySeal, wish: StampRequest) -> PadesSignature:
        # before the signing time is set: a new certificate begins now
        signer = self._pades.ensure_signer(actor, _order(ready, wish.pades.key))
        prepared = self._seals.pdf.prepare(wish.document, self._request(ready, wish))
        level = wish.pades.level or self._seals.pades_level
        return self._pades.sign(prepared, signer, level)

    def _request(self, ready: ReadySeal, wish: StampRequest) -> PdfRequest:
        pades = wish.standard == "pades"
        picture = read_seal(read_der(ready.content)).picture
        return PdfRequest(
            subfilter=PADES if pades else SES,
            name=ready.record.name,
            signed_at=self._seals.parts.clock.now(),
            reserved=RESERVED if pades else len(ready.content) + RESERVED,
            place=pdf_place(picture, wish.stamping),
        )

    def _require_valid(self, document: bytes, signed: PadesSignature) -> None:
        """Raise ``SealRejected`` unless what was put in verifies, and covers the whole file.

        The file begins with ``document``: what was given is what was sealed. Raises
        ``DocumentRejected`` where an earlier signature does not stand what came after it.
        """
        trust = self._seals.authority.trust()
        read = self._seals.pdf.read(signed.document)
        verdicts = verify_pdf(signed.document, read, trust).signatures
        own = [each for each in read.signatures if each.contents.rstrip(b"\0") in signed.stripped]
        # a hostile file may hide the new signature from whoever looks for signatures
        closed = any(each.covers_file or each.validation_data for each in own)
        if not (
            signed.document.startswith(document) and closed and len(own) == len(signed.contents)
        ):
            msg = "the sealed document does not show its signature; it is not given out"
            raise SealRejected(msg)
        for signature, verdict in zip(read.signatures, verdicts, strict=True):
            failed = {step.what for step in verdict.steps if step.ok is False}
            if signature in own:
                require_valid(verdict)
            elif failed & {"range", "digest"}:
                msg = f"the earlier signature {signature.field} would not cover what is shown"
                raise DocumentRejected(msg)


def _order(ready: ReadySeal, algorithm: PadesKey) -> SignerOrder:
    """Return the order of a certificate beside the holder's SM2 certificate."""
    holder = read_certificate(ready.certificate.der)
    return SignerOrder(
        ready.record.org_id,
        document_key_name(ready.certificate.id, algorithm),
        Name(ready.record.name, MARKING, common_name(holder.common_name)),
        algorithm,
    )


def pdf_place(picture: Picture, stamping: Stamping) -> PdfPlace:
    """Return where the one picture of a PDF's signature goes."""
    place = stamping.places[0] if stamping.places else None
    return PdfPlace(
        picture.data,
        picture.width,
        picture.height,
        page=LAST_PAGE if place is None else place.page,
        x=None if place is None else place.x,
        y=None if place is None else place.y,
    )


def require_place(stamping: Stamping) -> None:
    """Raise ``DocumentRejected`` for places that no PDF signature can have."""
    if stamping.edge is not None or len(stamping.places) > 1:
        msg = "a PDF signature has one place: no page edges, no second picture"
        raise DocumentRejected(msg)
    for place in stamping.places:
        # what JSON can't carry to whoever reads the PDF
        if not (math.isfinite(place.x) and math.isfinite(place.y)) or abs(place.page) > MAX_PAGES:
            msg = "the place is not on a page"
            raise DocumentRejected(msg)
