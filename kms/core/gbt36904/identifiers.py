"""证照标识: root . type . authority . serial . version . check character.

The check character is ISO/IEC 7064 MOD 37,36 over the four parts between root and check, joined:
so it is in every identifier of real e-certificates that was at hand; the standard's own text
was not.
"""

from __future__ import annotations

import re
from typing import Final

ROOT: Final = "1.2.156.3005.2"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MODULUS: Final = len(_ALPHABET)
_TYPE: Final = re.compile(r"[0-9A-Z]{21}")
_AUTHORITY: Final = re.compile(r"[0-9A-Z]{18}")
_SERIAL: Final = re.compile(r"[0-9A-Z]{1,32}")
_VERSIONS: Final = 999
_PARTS: Final = 5
_MAX_TEXT: Final = 120


class IdentifierError(ValueError):
    """A part of an identifier is not of its form."""


def check_character(text: str) -> str:
    """Return the ISO/IEC 7064 MOD 37,36 check character of digits and capital letters."""
    product = _MODULUS
    for letter in text:
        product = (product + _ALPHABET.index(letter)) % _MODULUS or _MODULUS
        product = product * 2 % (_MODULUS + 1)
    return _ALPHABET[(_MODULUS + 1 - product) % _MODULUS]


def identifier(type_code: str, authority_code: str, serial: str, version: int) -> str:
    """Return the 证照标识 of one e-certificate; raise ``IdentifierError``."""
    require_codes(type_code, authority_code)
    if not _SERIAL.fullmatch(serial):
        msg = "a serial number has 1 to 32 digits and capital letters"
        raise IdentifierError(msg)
    if not 1 <= version <= _VERSIONS:
        msg = f"a version is 1 to {_VERSIONS}"
        raise IdentifierError(msg)
    parts = (type_code, authority_code, serial, f"{version:03d}")
    return ".".join((ROOT, *parts, check_character("".join(parts))))


def require_codes(type_code: str, authority_code: str) -> None:
    """Raise ``IdentifierError`` unless both codes are of their form."""
    if not _TYPE.fullmatch(type_code):
        msg = "证照类型代码 has 21 digits and capital letters: the owner's 18, and 3"
        raise IdentifierError(msg)
    if not _AUTHORITY.fullmatch(authority_code):
        msg = "颁发机构代码 is a unified social credit code: 18 digits and capital letters"
        raise IdentifierError(msg)


def is_identifier(text: str) -> bool:
    """Tell whether ``text`` is an identifier with the right check character."""
    parts = text.removeprefix(f"{ROOT}.").split(".")
    if len(text) > _MAX_TEXT or not text.startswith(f"{ROOT}.") or len(parts) != _PARTS:
        return False
    joined = "".join(parts[:-1])
    plain = all(letter in _ALPHABET for letter in joined) and all(parts)
    return plain and parts[-1] == check_character(joined)
