#!/usr/bin/env python3
"""Bring the console's English catalogue up to date with its texts, and compile it.

New texts get an entry with an empty translation, texts that are gone lose theirs. Prints what
has no translation yet; exit 1 then. ``--set ID TRANSLATION`` (repeatable) fills some.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
CONSOLE = ROOT / "secops" / "console"
FOLDER = CONSOLE / "locale" / "en" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS = {"**/templates/**.html": {"extensions": "jinja2.ext.i18n"}}
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
}


def current_texts() -> Catalog:
    """Return the texts that the console's sources hold, with the files they stand in."""
    found = Catalog()
    for name, _, message, _, context in extract_from_dir(
        CONSOLE, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS
    ):
        place = f"{CONSOLE.relative_to(ROOT)}/{name}"
        found.add(message, None, [(place, None)], context=context)  # type: ignore[list-item]
    return found


def update(translations: dict[str, str]) -> list[str]:
    """Rewrite both files; return the texts without a translation."""
    path = FOLDER / "console.po"
    with path.open("rb") as file:
        known = read_po(file)
    catalogue = Catalog(locale="en", header_comment=known.header_comment)
    catalogue.mime_headers = known.mime_headers
    for message in current_texts():
        if not message.id:
            continue
        old = known.get(message.id)
        text = translations.get(str(message.id)) or (old.string if old else "")
        catalogue.add(message.id, text, sorted(set(message.locations)), context=message.context)
    written = io.BytesIO()
    write_po(written, catalogue, sort_output=True, include_lineno=False, width=100)
    path.write_bytes(written.getvalue())
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    (FOLDER / "console.mo").write_bytes(compiled.getvalue())
    return [str(message.id) for message in catalogue if message.id and not message.string]


def main() -> int:
    """Update, and say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("ID", "ENGLISH"))
    given = parser.parse_args()
    with (ROOT / "tools" / "texts.py").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = update(dict(given.set))
    for text in missing:
        sys.stdout.write(f"no English yet: {text}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
