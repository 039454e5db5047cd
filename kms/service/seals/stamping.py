"""Use a seal (用章) on an OFD or PDF: the signed document itself, with the seal's picture."""

from __future__ import annotations

from kms.core.gbt33190.package import OfdError, OfdPackage
from kms.core.gbt33190.pages import read_document
from kms.core.gbt33190.signatures import read_signatures
from kms.core.gbt33190.stamps import place_stamps
from kms.core.gbt33190.verification import verify_ofd
from kms.core.gbt33190.writing import (
    SignatureContent,
    SignatureDraft,
    draft_signature,
    write_signature,
)
from kms.core.gbt38540.reading import read_seal
from kms.core.x690 import read_der
from kms.errors.seals import DocumentRejected
from kms.models.seal_registry import SealedDocument, UseForm
from kms.models.seals import PDF_MAGIC
from kms.models.stamps import Stamping, StampRequest
from kms.service.seals.parts import SealParts
from kms.service.seals.pdf import PdfStamping
from kms.service.seals.uses import (
    PreparedDocument,
    SealUses,
    WantedUse,
    require_size,
    require_valid,
)
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor


class SealStamping:
    """Puts seals into documents."""

    def __init__(self, seals: SealParts, uses: SealUses) -> None:
        self._seals = seals
        self._uses = uses
        self._pdf = PdfStamping(seals, uses)

    def stamp_document(self, actor: Actor, seal_id: str, wish: StampRequest) -> SealedDocument:
        """Return the OFD or PDF with one more signature; all else in it is protected.

        Raises ``DocumentRejected`` for one that can't be sealed safely, ``TooLarge``, and what
        ``use_seal`` raises. Nothing is given out that our own verifier refuses.
        """
        made = self.prepare_document(actor, seal_id, wish)
        return self._uses.enter(
            made.wanted, made.value, lambda use: SealedDocument(made.document, use)
        )

    def prepare_document(self, actor: Actor, seal_id: str, wish: StampRequest) -> PreparedDocument:
        """Return what ``stamp_document`` gives out, before its use is entered."""
        require_size(wish.document)
        wanted = WantedUse(
            actor,
            seal_id,
            sm3(wish.document),
            wish.purpose,
            form=_form(wish),
            document_class=wish.document_class,
            request_id=wish.request_id,
        )
        if wanted.form != "ofd":
            return self._pdf.prepare(wanted, wish)
        ready = self._uses.open_seal(wanted)
        try:
            package = OfdPackage(wish.document)
            draft = self._draft(package, ready.content, wish.stamping)
            value = self._uses.sign(ready, sm3(draft.xml), f"/{draft.path}")
            sealed = write_signature(package, draft, value)
        except OfdError as error:
            raise DocumentRejected(str(error)) from error
        require_size(sealed)
        self._require_valid(sealed)
        return PreparedDocument(wanted, value, sealed)

    def _draft(self, package: OfdPackage, seal: bytes, stamping: Stamping) -> SignatureDraft:
        found = read_document(package)
        picture = read_seal(read_der(seal)).picture
        stamps = place_stamps(stamping, found.pages, (picture.width, picture.height))
        content = SignatureContent(seal, stamps, self._seals.parts.clock.now())
        return draft_signature(package, found, read_signatures(package), content)

    def _require_valid(self, sealed: bytes) -> None:
        """Raise ``SealRejected`` unless the new signature, the last one, verifies."""
        require_valid(verify_ofd(sealed, self._seals.trust_of_new()).signatures[-1])


def _form(wish: StampRequest) -> UseForm:
    """Return into what the seal goes, as the usage ledger names it."""
    if not wish.document.startswith(PDF_MAGIC):
        return "ofd"
    return "pdf" if wish.standard == "pades" else "pdf_sm2"
