"""Pages with a seal on them, drawn in a child process: the asking side."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass

from kms.adapters.pdf.processes import PdfProcesses
from kms.models.stamps import PagePreview
from kms.ports.pdf import PdfPlace
from kms.ports.previews import BlankPage


@dataclass(frozen=True, slots=True)
class TypstPreviews:
    """Draws with typst, which reads PDF; raises ``TooMany``, ``Unavailable``, too."""

    processes: PdfProcesses

    def preview_pdf(self, document: bytes, place: PdfPlace) -> PagePreview:
        """Return the page of a PDF with the picture on it; raise ``DocumentRejected``."""
        wanted = asdict(place)
        wanted["picture"] = base64.b64encode(place.picture).decode()
        answer, picture = self.processes.demand({"do": "preview_pdf", "place": wanted}, document)
        return PagePreview(picture, answer["page"], answer["pages"])

    def preview_blank(self, page: BlankPage) -> bytes:
        """Return a PNG of ``page``; raise ``DocumentRejected``."""
        wanted = {
            "do": "preview_blank",
            "width": page.width,
            "height": page.height,
            "stamps": [asdict(each) for each in page.stamps],
        }
        _, picture = self.processes.demand(wanted, page.picture)
        return picture
