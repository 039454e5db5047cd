"""Inside the worker: a verdict set by typst, from texts that are data and never markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson
import typst

_TEMPLATE: Final = Path(__file__).with_name("verdict.typ")


class NotSet(ValueError):
    """The verdict can't be set; the message says why."""


def render(data: dict[str, Any], fonts: list[str]) -> bytes:
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
    content = orjson.dumps({**data, "font": family, "mono": family}).decode()
    made, warned = typst.compile_with_warnings(
        _TEMPLATE.read_bytes(),
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


def _family(known: Any, file: Path) -> str:
    """Return the family of a font ``file``, the shortest name where it holds several."""
    names = [str(each.family) for each in known.fonts() if each.path == str(file)]
    if not names:
        msg = f"{file} holds no font that can be used"
        raise NotSet(msg)
    return min(names, key=len)
