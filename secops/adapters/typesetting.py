"""Pages set by typst in one font file of the system: texts are data and never markup."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_NOT_A_CHARACTER: Final = "\U0010ffff"
_GLYPH: Final = 16
_LONGEST: Final = 300
"""Characters of a reason."""


class NotSet(ValueError):
    """The page can't be set; the message says why."""


@dataclass(frozen=True, slots=True)
class Typeface:
    """A font file, the name of its family, and typst's view of its folder."""

    file: Path
    family: str
    known: Any


def font_file(fonts: Sequence[Path]) -> Path:
    """Return the first of ``fonts`` that is there; raise ``NotSet`` where none is."""
    file = next((each for each in fonts if each.is_file()), None)
    if file is None:
        msg = f"no font file at {', '.join(str(each) for each in fonts)}"
        raise NotSet(msg)
    return file


def open_typeface(fonts: Sequence[Path]) -> Typeface:
    """Return the first of ``fonts``; raise ``NotSet`` where none is there, or it is no font.

    Of several families in a file the one with the shortest name.
    """
    import typst  # noqa: PLC0415 - heavy

    file = font_file(fonts)
    known = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(file.parent)]
    )
    names = [str(each.family) for each in known.fonts() if each.path == str(file)]
    if not names:
        msg = f"{file} holds no font that can be used"
        raise NotSet(msg)
    return Typeface(file, min(names, key=len), known)


def set_pdf(template: Path, data: Mapping[str, Any], typeface: Typeface, *, at: int) -> bytes:
    """Return the PDF of ``template`` with ``data``, made at ``at`` (UTC seconds).

    The template finds the family as ``font``. Raises ``NotSet`` for anything that typst warns of.
    """
    import orjson  # noqa: PLC0415 - only here
    import typst  # noqa: PLC0415 - heavy

    made, warned = typst.compile_with_warnings(
        template.read_bytes(),
        font_paths=typeface.known,
        ignore_system_fonts=True,
        sys_inputs={"data": orjson.dumps({**data, "font": typeface.family}).decode()},
        format="pdf",
        timestamp=at,
    )
    if warned or not isinstance(made, bytes):
        msg = f"typst warns: {'; '.join(str(each) for each in warned)}"[:_LONGEST]
        raise NotSet(msg)
    return made


def drawable(file: Path, size: int = _GLYPH) -> Callable[[str], bool]:
    """Return what tells whether the font draws a letter: typst would leave it out in silence.

    ``size`` is the letters' height in points when they are compared with the sign for none.
    """
    from PIL import ImageFont  # noqa: PLC0415 - heavy

    font = ImageFont.truetype(str(file), size)
    blank = bytes(font.getmask(_NOT_A_CHARACTER))
    seen: dict[str, bool] = {}

    def draws(letter: str) -> bool:
        if letter not in seen:
            seen[letter] = bytes(font.getmask(letter)) != blank
        return seen[letter]

    return draws
