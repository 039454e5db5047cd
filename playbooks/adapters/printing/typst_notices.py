"""Notices as official documents: red head, number, title, body, date, and a place for the seal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playbooks.adapters.printing.lines import plain
from playbooks.adapters.printing.typst_reports import FONTS, spelt
from playbooks.errors import FontUnavailable
from playbooks.models.notices import PrintedNotice
from playbooks.ports.notices import SealPlace, SetNotice
from secops.adapters.typesetting import NotSet, drawable, open_typeface, set_pdf
from secops.kernel.clock import SECOND

TEMPLATE: Final = Path(__file__).with_name("notice.typ")
PLACE: Final = SealPlace(x=134.0, y=219.0)
"""Over issuer and date, which the template keeps at the foot of the last page: for 42 mm."""


@dataclass(frozen=True, slots=True)
class TypstNotices:
    """Implements ``playbooks.ports.notices.NoticePrinter``."""

    fonts: Sequence[Path] = FONTS

    def print_notice(self, notice: PrintedNotice) -> SetNotice:
        """Return the PDF; raise ``FontUnavailable`` where it can't be set whole."""
        data = {
            "issuer": plain(notice.issuer),
            "reference": notice.reference,
            "title": plain(notice.title),
            "units": "、".join(plain(unit) for unit in notice.units),
            "paragraphs": [plain(each) for each in notice.paragraphs],
            "facts": [[name, plain(value)] for name, value in notice.facts.items()],
            "date": notice.date,
        }
        try:
            typeface = open_typeface(self.fonts)
            draws = drawable(typeface.file)
            data = spelt(data, lambda letter: letter == " " or draws(letter))
            made = set_pdf(TEMPLATE, data, typeface, at=notice.at // SECOND)
        except NotSet as error:
            raise FontUnavailable(str(error)) from error
        return SetNotice(made, PLACE)
