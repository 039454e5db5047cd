"""Previews of one pixel, and what was asked for."""

from __future__ import annotations

from kms.models.stamps import PagePreview
from kms.ports.pdf import PdfPlace
from kms.ports.previews import BlankPage
from tests.fakes.sealing import PIXEL


class PlainPreviews:
    def __init__(self) -> None:
        self.places: list[PdfPlace] = []
        self.blank: list[BlankPage] = []

    def preview_pdf(self, document: bytes, place: PdfPlace) -> PagePreview:
        self.places.append(place)
        return PagePreview(PIXEL, 1, 2)

    def preview_blank(self, page: BlankPage) -> bytes:
        self.blank.append(page)
        return PIXEL
