"""Texts that people enter, within bounds, or bring in files."""

from __future__ import annotations

from typing import Final

from secops.kernel.errors import Invalid

_ENCODINGS: Final = ("utf-8-sig", "gb18030")


def decoded(content: bytes) -> str | None:
    """Return the text of a file, UTF-8 (maybe with BOM) before GB 18030; None if it is neither."""
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def bounded(text: str, limit: int, name: str) -> str:
    """Return ``text`` without blanks around it; raise ``Invalid`` for none or too much of it."""
    stripped = text.strip()
    if not stripped or len(stripped) > limit:
        raise Invalid(f"a {name} has 1 to {limit} characters")
    return stripped


def at_most(text: str, limit: int, name: str) -> str:
    """Return ``text`` without blanks around it, maybe nothing; raise ``Invalid`` for too much."""
    stripped = text.strip()
    if len(stripped) > limit:
        raise Invalid(f"a {name} has at most {limit} characters")
    return stripped
