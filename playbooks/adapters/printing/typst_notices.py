"""Notices as official documents: red head, number, title, body, date, and a place for the seal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playbooks.adapters.printing.typst_reports import set_whole
from playbooks.models.notices import PrintedNotice
from playbooks.ports.notices import SealPlace, SetNotice
from secops.adapters.typesetting import FONTS, plain

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
        return SetNotice(set_whole(TEMPLATE, data, self.fonts, at=notice.at), PLACE)
