"""Where a seal will stand: a picture of the page, before anything is sealed."""

from __future__ import annotations

from typing import Final

from kms.core.gbt33190.package import OfdError, OfdPackage
from kms.core.gbt33190.pages import read_document
from kms.core.gbt33190.stamps import place_stamps
from kms.core.gbt38540.reading import read_seal
from kms.core.gbt38540.structures import Picture
from kms.core.x690 import read_der
from kms.errors.seals import DocumentRejected
from kms.models.seals import PDF_MAGIC
from kms.models.stamps import PagePreview, Stamping
from kms.ports.previews import BlankPage, PagePreviews, PreviewStamp
from kms.service.public_limits import RateLimit
from kms.service.seals.parts import SealParts
from kms.service.seals.pdf import pdf_place, require_place
from kms.service.seals.registry import SealRegistry
from kms.service.seals.uses import require_size
from secops.kernel.actors import Actor

PER_MINUTE: Final = 30


class SealPreviews:
    """Draws a page with a seal that the caller may see. Nothing is signed, kept or used."""

    def __init__(self, seals: SealParts, registry: SealRegistry, pages: PagePreviews) -> None:
        self._registry = registry
        self._pages = pages
        self._limit = RateLimit(seals.parts.clock, PER_MINUTE, "previews")

    def preview_stamp(
        self, actor: Actor, seal_id: str, document: bytes, stamping: Stamping
    ) -> PagePreview:
        """Return the first page that gets a picture, as it will look.

        Of an OFD only the page's size and the seals are drawn. Raises ``DocumentRejected`` as
        ``stamp_document`` does for a place that is on no page, ``TooLarge``, ``TooMany``, and
        what ``show_seal`` raises.
        """
        picture = read_seal(read_der(self._registry.show_seal(actor, seal_id).content)).picture
        self._limit.spend(actor.id)
        require_size(document)
        if document.startswith(PDF_MAGIC):
            require_place(stamping)
            return self._pages.preview_pdf(document, pdf_place(picture, stamping))
        try:
            return self._blank(document, picture, stamping)
        except OfdError as error:
            raise DocumentRejected(str(error)) from error

    def _blank(self, document: bytes, picture: Picture, stamping: Stamping) -> PagePreview:
        pages = read_document(OfdPackage(document)).pages
        stamps = place_stamps(stamping, pages, (picture.width, picture.height))
        number = next(n for n, page in enumerate(pages) if page.identifier == stamps[0].page)
        page = pages[number]
        shown = [
            PreviewStamp(
                (each.boundary[0] - page.x, each.boundary[1] - page.y, *each.boundary[2:]),
                each.clip,
            )
            for each in stamps
            if each.page == page.identifier
        ]
        drawn = self._pages.preview_blank(BlankPage(page.width, page.height, picture.data, shown))
        return PagePreview(drawn, number + 1, len(pages), blank=True)
