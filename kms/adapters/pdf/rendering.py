"""Inside the worker: pages set by typst, from texts that are data and never markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from secops.adapters.typesetting import NotSet, drawable, open_typeface, set_pdf

_TEMPLATES: Final = {
    name: Path(__file__).with_name(f"{name}.typ") for name in ("verdict", "drawing")
}


class NoGlyph(NotSet):
    """The font has no drawing for a letter; the message is the letter."""


def render(data: dict[str, Any], fonts: list[str], template: str) -> bytes:
    """Return the PDF of ``data``, set in the first of the font files ``fonts`` that is there.

    Raises ``NotSet`` where there is none, and for anything that typst warns of.
    """
    typeface = open_typeface([Path(each) for each in fonts])
    if template == "drawing":
        letters = {letter for line in data["texts"] for letter in line["text"]}
        _require_glyphs(typeface.file, letters)
    return set_pdf(_TEMPLATES[template], data, typeface, at=data["judged_at"])


def _require_glyphs(file: Path, letters: set[str]) -> None:
    """Raise ``NoGlyph``: typst would leave a letter blank that the font has not."""
    draws = drawable(file)
    for letter in sorted(letters):
        if not letter.isspace() and not draws(letter):
            raise NoGlyph(repr(letter))
