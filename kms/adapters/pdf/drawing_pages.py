"""A drawn page as PDF, its font within: set by typst in a child process, texts as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kms.adapters.pdf.processes import PdfProcesses
from kms.adapters.pictures import FONTS
from kms.errors.ecertificates import ECertificateRejected
from kms.errors.seals import FontMissing
from kms.models.ecertificates import DocumentFacts, Drawing
from secops.kernel.catalogue import Text
from secops.kernel.clock import SECOND

_NO_GLYPH: Final = "NoGlyph: "


@dataclass(frozen=True, slots=True)
class TypstDrawings:
    """Has pages set in the first of ``fonts`` that is there."""

    processes: PdfProcesses
    fonts: Sequence[Path] = FONTS

    def render(self, drawing: Drawing, facts: DocumentFacts) -> bytes:
        """Return the PDF; raise ``FontMissing``, ``Unavailable``.

        Raises ``ECertificateRejected`` for a letter that the font has not: none is left blank.
        """
        data = {
            **asdict(drawing),
            "title": facts.title,
            "author": facts.author,
            "keywords": [f"{name}:{value}" for name, value in facts.custom.items()],
            "judged_at": facts.created_at // SECOND,
        }
        fonts = [str(path) for path in self.fonts]
        question = {"do": "render", "template": "drawing", "data": data, "fonts": fonts}
        answer, content = self.processes.ask(question, b"")
        refused = str(answer.get("refused", ""))
        if refused.startswith(_NO_GLYPH):
            why = refused.removeprefix(_NO_GLYPH)
            raise ECertificateRejected.because(Text(f"字体中没有:{why}", f"the font has no {why}"))
        if refused:
            raise FontMissing(refused)
        return content
