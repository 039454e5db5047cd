"""The child that sets a typst template of an office: one question, one answer, then the end.

Typst finds files, fonts and packages by itself, and fetches packages. So the font is opened first,
then this process may open nothing: a template's every way to read or fetch ends there.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any, Final

import orjson

from audits.adapters.rendering.limits import limit_resources, output_faults, shut_doors
from secops.adapters.typesetting import NotSet, Typeface, open_typeface, set_source

_NOTHING: Final = b"#let (plugin, eval, std, pdf) = (none, none, none, none)"
"""Names that a template finds empty: what runs foreign code, what would bring such names back,
and what attaches files."""

_SAMPLE: Final = b"""#let data = json(bytes(sys.inputs.data))
#for face in data.faces { text(font: data.font, ..face)[x] }"""


def main() -> None:
    """Answer the question on standard input."""
    limit_resources()
    asked: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    typeface, standards = open_typeface([Path(asked["font"])]), asked["standards"]
    _open_faces(typeface, standards)
    shut_doors()
    before, template = asked["before"].encode(), base64.b64decode(asked["template"])
    source = b"%b %b\n%b" % (before, _NOTHING, template)
    try:
        made = set_source(source, asked["data"], typeface, at=asked["at"], standards=standards)
        faults = output_faults(made)
    except NotSet as error:
        made = b""
        faults = [f"line {error.line - 1}: {error}" if error.line else str(error)]
    sys.stdout.buffer.write(orjson.dumps({"faults": faults}) + b"\n" + (b"" if faults else made))


def _open_faces(typeface: Typeface, standards: list[str]) -> None:
    """Have typst open every face of the family: it opens a font's file when it first needs it."""
    faces = [
        {"style": each.style, "weight": each.weight}
        for each in typeface.known.fonts()
        if each.family == typeface.family
    ]
    set_source(_SAMPLE, {"faces": faces}, typeface, at=0, standards=standards)


if __name__ == "__main__":
    main()
