"""Distinguished names and validity times as they are found in certificates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from secops.crypto.der import (
    GENERALIZED_TIME,
    SEQUENCE,
    UTC_TIME,
    Element,
    children,
    read_oid,
    read_whole,
)
from secops.crypto.errors import MalformedEncoding
from secops.kernel.clock import from_datetime

_SHORT: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.42": "GN",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_BMP_STRING: Final = 0x1E
_SPECIAL: Final = frozenset(',+"\\<>;=')


def _attributes(name: bytes) -> Iterator[tuple[str, Element]]:
    for relative in children(read_whole(name, SEQUENCE).content):
        for pair in children(relative.content):
            parts = list(children(pair.content))
            if len(parts) != 2:  # noqa: PLR2004 - type and value
                msg = "a malformed name"
                raise MalformedEncoding(msg)
            yield read_oid(parts[0]), parts[1]


def _text(value: Element) -> str:
    """Return what the bytes most likely say, whatever string type they claim to be."""
    encodings = ("utf-16-be",) if value.tag == _BMP_STRING else ("utf-8", "gb18030")
    for encoding in encodings:
        try:
            text = value.content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.isprintable():
            return text
    return "#" + value.content.hex()


def attribute(name: bytes, oid: str) -> str:
    """Return the first attribute ``oid`` of ``name`` as text, "" where there is none."""
    return next((_text(value) for found, value in _attributes(name) if found == oid), "")


def to_text(name: bytes) -> str:
    """Return ``name`` as text, most specific first (RFC 4514)."""
    parts = [f"{_SHORT.get(oid, oid)}={_escaped(_text(value))}" for oid, value in _attributes(name)]
    return ",".join(reversed(parts))


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)


def validity(element: Element) -> tuple[int, int]:
    """Return notBefore and notAfter, UTC microseconds."""
    times = list(children(element.content))
    if len(times) != 2:  # noqa: PLR2004 - notBefore and notAfter
        msg = "a malformed validity"
        raise MalformedEncoding(msg)
    return read_time(times[0]), read_time(times[1])


def read_time(element: Element) -> int:
    """Return a UTCTime or GeneralizedTime in Z, UTC microseconds (RFC 5280 §4.1.2.5)."""
    text = element.content.decode("ascii", "replace")
    if element.tag == UTC_TIME and len(text) == 13:  # noqa: PLR2004 - YYMMDDHHMMSSZ
        text = ("19" if text[:2] >= "50" else "20") + text
    elif element.tag != GENERALIZED_TIME or len(text) != 15:  # noqa: PLR2004 - YYYYMMDDHHMMSSZ
        text = ""
    if not text[:-1].isascii() or not text[:-1].isdigit() or text[-1:] != "Z":
        msg = "not a time in UTC"
        raise MalformedEncoding(msg)
    try:
        moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        msg = "not a time in UTC"
        raise MalformedEncoding(msg) from error
    return from_datetime(moment)
