"""PDF set by typst: texts are data and never markup, a letter without a glyph is spelt out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playbooks.adapters.printing.lines import printable
from playbooks.errors import FontUnavailable
from playbooks.models.reports import PrintedReport
from secops.kernel.clock import SECOND

TEMPLATE: Final = Path(__file__).with_name("incident_report.typ")
FONTS: Final = (
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
)
_NOT_A_CHARACTER: Final = "\U0010ffff"
_GLYPH: Final = 16


@dataclass(frozen=True, slots=True)
class TypstReports:
    """Implements ``playbooks.ports.ReportPrinter`` with the first of ``fonts`` that is there."""

    fonts: Sequence[Path] = FONTS

    def print_report(self, report: PrintedReport) -> bytes:
        """Return ``report`` as PDF; raise ``FontUnavailable`` where it can't be set whole."""
        import orjson  # noqa: PLC0415 - only here
        import typst  # noqa: PLC0415 - heavy

        file = next((each for each in self.fonts if each.is_file()), None)
        if file is None:
            msg = f"no font file at {', '.join(str(each) for each in self.fonts)}"
            raise FontUnavailable(msg)
        known = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(file.parent)]
        )
        names = [str(each.family) for each in known.fonts() if each.path == str(file)]
        if not names:
            msg = f"{file} holds no font that can be used"
            raise FontUnavailable(msg)
        data = _spelt(printable(report), _drawable(file))
        content = orjson.dumps({**data, "font": min(names, key=len)}).decode()
        made, warned = typst.compile_with_warnings(
            TEMPLATE.read_bytes(),
            font_paths=known,
            ignore_system_fonts=True,
            sys_inputs={"data": content},
            format="pdf",
            timestamp=report.made_at // SECOND,
        )
        if warned or not isinstance(made, bytes):
            msg = f"typst warns: {'; '.join(str(each) for each in warned)}"[:300]
            raise FontUnavailable(msg)
        return made


def _drawable(file: Path) -> Callable[[str], bool]:
    """Return what tells whether the font draws a letter: typst would leave it out in silence."""
    from PIL import ImageFont  # noqa: PLC0415 - heavy

    font = ImageFont.truetype(str(file), _GLYPH)
    blank = bytes(font.getmask(_NOT_A_CHARACTER))
    seen: dict[str, bool] = {" ": True}

    def drawable(letter: str) -> bool:
        if letter not in seen:
            seen[letter] = bytes(font.getmask(letter)) != blank
        return seen[letter]

    return drawable


def _spelt(value: Any, drawable: Callable[[str], bool]) -> Any:
    """Return ``value`` with each letter that the font lacks written as U+XXXX."""
    if isinstance(value, dict):
        return {name: _spelt(each, drawable) for name, each in value.items()}
    if isinstance(value, list):
        return [_spelt(each, drawable) for each in value]
    return "".join(each if drawable(each) else f"U+{ord(each):04X}" for each in value)
