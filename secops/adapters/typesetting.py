"""Pages set by typst in one font file of the system: texts are data and never markup.

What a page can't show is written out: ``plain`` for what can't be seen, ``spelt`` for letters
that the font lacks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_NOT_A_CHARACTER: Final = "\U0010ffff"
_GLYPH: Final = 16
_LONGEST: Final = 300
"""Characters of a reason."""

_NOWHERE: Final = "/nonexistent"
"""The one folder that a template may read files and packages from: there is none."""

_POINTED: Final = re.compile(r"┌─ .*:(\d+):\d+$", re.MULTILINE)

FONTS: Final = (
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
)
"""Where Debian's packages put Chinese fonts for pages to read."""

MAX_CELL: Final = 4_000
"""Characters of a text on a page."""


class NotSet(ValueError):
    """The page can't be set; the message says why, ``line`` where in the template (0: nowhere)."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why[:_LONGEST])
        self.line = line


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


def set_pdf(
    template: Path,
    data: Mapping[str, Any],
    typeface: Typeface,
    *,
    at: int,
    standards: Sequence[str] = (),
) -> bytes:
    """Return the PDF of ``template`` with ``data``, made at ``at`` (UTC seconds).

    The template finds the family as ``font``. ``standards`` are profiles that the file keeps
    to (``a-3b``). Raises ``NotSet`` for anything that typst warns of or refuses.
    """
    return set_source(template.read_bytes(), data, typeface, at=at, standards=standards)


def set_source(
    source: bytes,
    data: Mapping[str, Any],
    typeface: Typeface,
    *,
    at: int,
    standards: Sequence[str] = (),
) -> bytes:
    """Return the PDF of a template's text, as ``set_pdf``."""
    how = {"format": "pdf", "timestamp": at, "pdf_standards": [*standards]}
    return _compiled(source, data, typeface, how)


def set_picture(template: Path, data: Mapping[str, Any], typeface: Typeface, *, ppi: int) -> bytes:
    """Return the one page of ``template`` with ``data`` as PNG, ``ppi`` points to the inch.

    Raises ``NotSet`` as ``set_pdf``.
    """
    return _compiled(template.read_bytes(), data, typeface, {"format": "png", "ppi": float(ppi)})


def _compiled(
    source: bytes, data: Mapping[str, Any], typeface: Typeface, how: Mapping[str, Any]
) -> bytes:
    import orjson  # noqa: PLC0415 - only here
    import typst  # noqa: PLC0415 - heavy

    try:
        made, warned = typst.compile_with_warnings(
            source,
            root=_NOWHERE,
            package_path=_NOWHERE,
            package_cache_path=_NOWHERE,
            font_paths=typeface.known,
            ignore_system_fonts=True,
            sys_inputs={"data": orjson.dumps({**data, "font": typeface.family}).decode()},
            **how,
        )
    except typst.TypstError as error:
        msg = f"typst refuses: {error.message}"
        raise NotSet(msg, _line(error.diagnostic.partition("error: ")[2])) from error
    if warned:
        msg = f"typst warns: {'; '.join(each.message for each in warned)}"
        raise NotSet(msg, _line(warned[0].diagnostic))
    if not isinstance(made, bytes):
        raise NotSet("typst sets more than one page")
    return made


def _line(diagnostic: str) -> int:
    """Return the line of the template that a diagnostic of typst points to first; 0 for none."""
    found = _POINTED.search(diagnostic)
    return int(found[1]) if found else 0


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


def plain(text: str) -> str:
    """Return ``text`` cut and on one line, with what can't be seen (or turns text) written out.

    XML takes no control characters, and a mark that reverses the text would make a page say
    something else than what was signed.
    """
    one_line = " ".join(text[: 2 * MAX_CELL].split())
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in one_line)
    return shown if len(shown) <= MAX_CELL and len(text) <= 2 * MAX_CELL else f"{shown[:MAX_CELL]}…"


def spelt(value: Any, draws: Callable[[str], bool]) -> Any:
    """Return ``value`` with each letter of its texts that the font lacks written as U+XXXX.

    Spaces and ends of lines stay, as do values that are no texts.
    """
    if isinstance(value, dict):
        return {name: spelt(each, draws) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [spelt(each, draws) for each in value]
    if not isinstance(value, str):
        return value
    return "".join(each if each in " \n" or draws(each) else f"U+{ord(each):04X}" for each in value)
