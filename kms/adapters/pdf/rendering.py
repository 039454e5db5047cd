"""Inside the worker: pages set by typst, from texts that are data and never markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson
import typst
from PIL import ImageFont

_TEMPLATES: Final = {
    name: Path(__file__).with_name(f"{name}.typ") for name in ("verdict", "drawing")
}
_NOT_A_CHARACTER: Final = "\U0010ffff"
_GLYPH: Final = 16


class NotSet(ValueError):
    """The verdict can't be set; the message says why."""


class NoGlyph(NotSet):
    """The font has no drawing for a letter; the message is the letter."""


def render(data: dict[str, Any], fonts: list[str], template: str = "verdict") -> bytes:
    """Return the PDF of ``data``, set in the first of the font files ``fonts`` that is there.

    Raises ``NotSet`` where there is none, and for anything that typst warns of.
    """
    file = next((Path(each) for each in fonts if Path(each).is_file()), None)
    if file is None:
        msg = f"no font file at {', '.join(fonts)}"
        raise NotSet(msg)
    known = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(file.parent)]
    )
    family = _family(known, file)
    if template == "drawing":
        _require_glyphs(file, {letter for line in data["texts"] for letter in line["text"]})
    content = orjson.dumps({**data, "font": family, "mono": family}).decode()
    made, warned = typst.compile_with_warnings(
        _TEMPLATES[template].read_bytes(),
        font_paths=known,
        ignore_system_fonts=True,
        sys_inputs={"data": content},
        format="pdf",
        timestamp=data["judged_at"],
    )
    if warned or not isinstance(made, bytes):
        msg = f"typst warns: {'; '.join(str(each) for each in warned)}"[:300]
        raise NotSet(msg)
    return made


def _require_glyphs(file: Path, letters: set[str]) -> None:
    """Raise ``NoGlyph``: typst would leave a letter blank that the font has not."""
    font = ImageFont.truetype(str(file), _GLYPH)
    blank = bytes(font.getmask(_NOT_A_CHARACTER))
    for letter in sorted(letters):
        if not letter.isspace() and bytes(font.getmask(letter)) == blank:
            raise NoGlyph(repr(letter))


def _family(known: Any, file: Path) -> str:
    """Return the family of a font ``file``, the shortest name where it holds several."""
    names = [str(each.family) for each in known.fonts() if each.path == str(file)]
    if not names:
        msg = f"{file} holds no font that can be used"
        raise NotSet(msg)
    return min(names, key=len)
