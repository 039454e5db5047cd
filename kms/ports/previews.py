"""Pictures of pages before they are sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kms.models.stamps import PagePreview
from kms.ports.pdf import PdfPlace


@dataclass(frozen=True, slots=True)
class PreviewStamp:
    """Where a picture stands: x, y, width, height in mm from the page's upper left corner.

    ``clip`` is the part of the picture that shows, in the same way from its own corner.
    """

    box: tuple[float, float, float, float]
    clip: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class BlankPage:
    """A page of which only the size in mm is known, and the ``stamps`` of a PNG on it."""

    width: float
    height: float
    picture: bytes
    stamps: Sequence[PreviewStamp]


class PagePreviews(Protocol):
    """Draws pages with a seal on them, hostile PDFs too: within limits of time and memory."""

    def preview_pdf(self, document: bytes, place: PdfPlace) -> PagePreview:
        """Return the page of a PDF with the picture on it; raise ``DocumentRejected``."""
        ...

    def preview_blank(self, page: BlankPage) -> bytes:
        """Return a PNG of ``page``; raise ``DocumentRejected``."""
        ...
