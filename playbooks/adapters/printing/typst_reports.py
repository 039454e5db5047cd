"""PDF set by typst: texts are data and never markup, a letter without a glyph is spelt out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playbooks.adapters.printing.lines import printable
from playbooks.errors import FontUnavailable
from playbooks.models.reports import PrintedReport
from secops.adapters.typesetting import FONTS, NotSet, drawable, open_typeface, set_pdf, spelt
from secops.kernel.clock import SECOND

TEMPLATE: Final = Path(__file__).with_name("incident_report.typ")


@dataclass(frozen=True, slots=True)
class TypstReports:
    """Implements ``playbooks.ports.ReportPrinter`` with the first of ``fonts`` that is there."""

    fonts: Sequence[Path] = FONTS

    def print_report(self, report: PrintedReport) -> bytes:
        """Return ``report`` as PDF; raise ``FontUnavailable`` where it can't be set whole."""
        return set_whole(TEMPLATE, printable(report), self.fonts, at=report.made_at)


def set_whole(template: Path, data: Mapping[str, Any], fonts: Sequence[Path], *, at: int) -> bytes:
    """Return the PDF of ``template`` with ``data``, made at ``at`` (UTC microseconds).

    A letter that the font lacks is spelt out. Raises ``FontUnavailable``.
    """
    try:
        typeface = open_typeface(fonts)
        draws = drawable(typeface.file)
        return set_pdf(template, spelt(data, draws), typeface, at=at // SECOND)
    except NotSet as error:
        raise FontUnavailable(str(error)) from error
