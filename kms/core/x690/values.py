"""The values inside DER elements; each function refuses what DER does not allow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from kms.core.x690 import elements
from kms.core.x690.elements import Element
from secops.kernel.clock import from_datetime

_MAX_INTEGER: Final = 4_096
_TOP_BIT: Final = 0x80
_CENTURY: Final = 50  # UTCTime: 50 to 99 are 19xx (RFC 5280 §4.1.2.5.1)
_ONES: Final = 0xFF
_MAX_ARC: Final = 128  # bits; UUID arcs (X.667) have as many
_DIGITS: Final = 14
_PLACES: Final = 6


def integer(element: Element, what: str) -> int:
    """Return an INTEGER's value; raise ``DerError`` unless it is minimal (X.690 §8.3.2)."""
    content = element.expect(elements.INTEGER, what).content
    padded = len(content) > 1 and (
        (content[0] == 0 and content[1] < _TOP_BIT)
        or (content[0] == _ONES and content[1] >= _TOP_BIT)
    )
    if not content or padded or len(content) > _MAX_INTEGER:
        element.refuse(f"{what} is not a minimal INTEGER")
    return int.from_bytes(content, "big", signed=True)


def boolean(element: Element, what: str) -> bool:
    """Return a BOOLEAN's value: FF or 00 and nothing else (X.690 §11.1)."""
    content = element.expect(elements.BOOLEAN, what).content
    if content not in (b"\x00", b"\xff"):
        element.refuse(f"{what} is not a BOOLEAN of DER")
    return content == b"\xff"


def octets(element: Element, what: str) -> bytes:
    """Return the content of an OCTET STRING."""
    return element.expect(elements.OCTET_STRING, what).content


def bits(element: Element, what: str) -> bytes:
    """Return the bytes of a BIT STRING without unused bits."""
    content = element.expect(elements.BIT_STRING, what).content
    if not content or content[0] != 0:
        element.refuse(f"{what} is a BIT STRING with unused bits")
    return content[1:]


def bits_or_octets(element: Element, what: str) -> bytes:
    """Return the bytes of a BIT STRING, or of the OCTET STRING some makers write."""
    return octets(element, what) if element.tag == elements.OCTET_STRING else bits(element, what)


def oid(element: Element, what: str) -> str:
    """Return an OBJECT IDENTIFIER in dotted form."""
    content = element.expect(elements.OBJECT_IDENTIFIER, what).content
    if not content or content[-1] & _TOP_BIT:
        element.refuse(f"{what} is a cut-off OBJECT IDENTIFIER")
    arcs: list[int] = []
    value = 0
    fresh = True
    for octet in content:
        if fresh and octet == _TOP_BIT:
            element.refuse(f"{what} is a padded OBJECT IDENTIFIER")
        value = value << 7 | octet & 0x7F
        fresh = not octet & _TOP_BIT
        if fresh:
            arcs.append(value)
            value = 0
        elif value.bit_length() > _MAX_ARC:
            element.refuse(f"{what} has an arc that is too large")
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def ia5(element: Element, what: str) -> str:
    """Return the text of an IA5String."""
    return _text(element, elements.IA5_STRING, "ascii", what=what)


def utf8(element: Element, what: str) -> str:
    """Return the text of a UTF8String."""
    return _text(element, elements.UTF8_STRING, "utf-8", what=what)


def printable(element: Element, what: str) -> str:
    """Return the text of a PrintableString."""
    return _text(element, elements.PRINTABLE_STRING, "ascii", what=what)


def utc_time(element: Element, what: str) -> int:
    """Return a UTCTime ``YYMMDDhhmmssZ`` as UTC microseconds."""
    text = _text(element, elements.UTC_TIME, "ascii", what=what)
    century = "20" if text[:2].isdigit() and int(text[:2]) < _CENTURY else "19"
    return _instant(element, century + text, what)


def generalized_time(element: Element, what: str) -> int:
    """Return a GeneralizedTime ``YYYYMMDDhhmmss[.f]Z`` as UTC microseconds."""
    text = _text(element, elements.GENERALIZED_TIME, "ascii", what=what)
    return _instant(element, text, what)


def time(element: Element, what: str) -> int:
    """Return a UTCTime or GeneralizedTime as UTC microseconds (X.509's Time)."""
    return (
        utc_time(element, what)
        if element.tag == elements.UTC_TIME
        else generalized_time(element, what)
    )


def _text(element: Element, tag: int, encoding: str, *, what: str) -> str:
    try:
        return element.expect(tag, what).content.decode(encoding)
    except UnicodeDecodeError:
        element.refuse(f"{what} is not {encoding}")


def _instant(element: Element, text: str, what: str) -> int:
    whole, dot, fraction = text.removesuffix("Z").partition(".")
    digits = whole.isascii() and whole.isdigit() and len(whole) == _DIGITS
    exact = not dot or (fraction.isdigit() and len(fraction) <= _PLACES and fraction[-1] != "0")
    if not text.endswith("Z") or not digits or not exact:
        element.refuse(f"{what} is not a UTC time of DER")
    try:
        moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        element.refuse(f"{what} is no date")
    return from_datetime(moment) + int(fraction.ljust(_PLACES, "0") if dot else 0)
