"""Characters that Lucene's grammar would take apart inside addresses, times and numbers.

``source.ip:2001:db8::/32``, ``@timestamp:>2026-11-22T08:00:00+08:00`` and ``n:-5`` are one
value each for a person and several tokens for the grammar. Each such character is replaced
by a noncharacter of Unicode (never in text) before parsing and put back after: one for one,
so that places stay what they were.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_COLON, _SLASH, _MINUS, _PLUS = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
_SHIELDS: Final = str.maketrans(":/-+", f"{_COLON}{_SLASH}{_MINUS}{_PLUS}")
_ORIGINALS: Final = str.maketrans(f"{_COLON}{_SLASH}{_MINUS}{_PLUS}", ":/-+")
_RESERVED: Final = re.compile("[\ufdd0-\ufdd3]")
_PHRASE: Final = r'"(?:[^"\\]|\\.)*"'
_BEFORE: Final = r"(?<![^\s:(\[{<>=])"
_AFTER: Final = r"(?![^\s)\]}])"
_ATOM: Final = re.compile(
    rf"{_PHRASE}"
    rf"|{_BEFORE}(?P<time>\d{{4}}-\d\d-\d\dT\d\d(?::[\d:.]*)?(?:Z|[+-]\d\d:?\d\d)?){_AFTER}"
    rf"|{_BEFORE}(?P<address>(?=[0-9A-Fa-f.]*:)[0-9A-Fa-f:.]{{2,45}}(?:/\d{{1,3}})?){_AFTER}"
    rf"|(?<=[:<>=\[{{])(?P<number>-)(?=\.?\d)"
    rf"|(?<= TO )(?P<high>-)(?=\.?\d)",
    re.DOTALL,
)


def has_reserved(text: str) -> bool:
    """Tell whether ``text`` holds a character that only shields may be."""
    return _RESERVED.search(text) is not None


def shielded(text: str) -> str:
    """Return ``text``, as long as before, with the characters inside values shielded."""
    return _ATOM.sub(_shield, text)


def unshielded(text: str) -> str:
    """Return what ``text`` was before ``shielded``."""
    return text.translate(_ORIGINALS)


def _shield(found: re.Match[str]) -> str:
    address = found["address"]
    if found[0].startswith('"') or (address is not None and not _is_address(address)):
        return found[0]
    return found[0].translate(_SHIELDS)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True
