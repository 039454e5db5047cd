"""Canonical text of values, and the one folding under which texts are compared."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from secops.kernel.logs import Value

_MAX_EXACT: Final = 1e16


def fold(text: str) -> str:
    """Return ``text`` as it is compared: NFC, case-folded, CRLF as LF.

    Identical in both log stores, in the query language and in the rule engine, for values
    and for literals.
    """
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return folded.replace("\r\n", "\n") if "\r" in folded else folded


def canonical_scalar(value: Any) -> str | None:
    """Return a JSON scalar as canonical text; None for null.

    Booleans are ``true`` and ``false``, numbers decimal without a fraction of zero
    (``5.0`` is ``5``); texts stay as they are, without lone surrogates.
    """
    if value.__class__ is str:
        return value if value.isascii() else _without_surrogates(value)
    if value.__class__ is int:
        return str(value)
    if value is None:
        return None
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_EXACT:
        return str(int(value))
    return str(value)


def canonical_list(values: Iterable[Any]) -> Value | None:
    """Return several scalars as a value: nulls dropped, none is absent, one is itself."""
    texts = [text for text in map(canonical_scalar, values) if text is not None]
    if not texts:
        return None
    return texts[0] if len(texts) == 1 else tuple(texts)


def add_value(fields: dict[str, Value], name: str, value: Value) -> None:
    """Put ``value`` under ``name``; where one is already there the field becomes a list."""
    before = fields.get(name)
    if before is None:
        fields[name] = value
        return
    head = before if isinstance(before, tuple) else (before,)
    fields[name] = head + (value if isinstance(value, tuple) else (value,))


def texts_of(value: Value) -> tuple[str, ...]:
    """Return the texts of ``value``: one, or the elements of a list."""
    return value if isinstance(value, tuple) else (value,)


def _without_surrogates(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}")


def is_plain_ipv4(text: str) -> bool:
    """Tell whether ``text`` is an IPv4 address as it is usually written."""
    return _IPV4.fullmatch(text) is not None


def canonical_address(text: str) -> str | None:
    """Return an IP address in canonical text (IPv4-mapped as IPv4); None if it is none."""
    # what most lines hold is canonical as it stands
    return text if is_plain_ipv4(text) else _canonical_address(text)


@lru_cache(maxsize=8_192)
def _canonical_address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
