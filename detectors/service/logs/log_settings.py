"""What people write about a source, checked: time zone and encoding."""

from __future__ import annotations

import codecs
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from detectors.core.formats.ledger import SOURCE as OWN_SOURCE
from secops.kernel.errors import Invalid

_MAX_NAME: Final = 200


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone called ``name``; raise ``Invalid``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"{name[:40]!r} is no time zone: write e.g. Asia/Shanghai"
        raise Invalid(msg) from error


def check_encoding(name: str | None) -> str | None:
    """Return ``name`` if it is a text encoding; raise ``Invalid``."""
    if name is None or name == "auto":
        return None
    try:
        is_text = codecs.lookup(name)._is_text_encoding  # noqa: SLF001 - how str.decode asks too
    except (LookupError, ValueError) as error:
        msg = f"{name[:40]!r} is no encoding: write utf-8, utf-16 or gb18030"
        raise Invalid(msg) from error
    if not is_text:
        msg = f"{name[:40]!r} is no text encoding"
        raise Invalid(msg)
    return name


def check_source_name(name: str) -> None:
    """Raise ``Invalid`` unless ``name`` can name a source."""
    if name == OWN_SOURCE:
        msg = f"{OWN_SOURCE} is the ledger's own source: nobody else writes there"
        raise Invalid(msg)
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        msg = f"a source's name has 1 to {_MAX_NAME} printable characters"
        raise Invalid(msg)
