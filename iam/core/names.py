"""Login names, and the keys that names, addresses and persons are counted by."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from datetime import date
from typing import Final

from iam.core.gb11643.id_number import canonical_id_number
from iam.errors import IdentityInvalid
from iam.models.accounts import IdentityDocument

_NAME: Final = re.compile(
    r"[a-z0-9\u4e00-\u9fff](?:[a-z0-9\u4e00-\u9fff._@-]{0,62}[a-z0-9\u4e00-\u9fff])?"
)
_DOCUMENT: Final = re.compile(r"[A-Z0-9]{5,30}", re.ASCII)
MAX_GIVEN: Final = 256


def folded_name(name: str) -> str:
    """Return the one spelling of ``name`` that is compared (never raises).

    Spellings that look the same count as the same name, or lockout and uniqueness could be
    walked around with aliases.
    """
    return unicodedata.normalize("NFKC", name[:MAX_GIVEN]).strip().casefold()


def check_name(name: str) -> str:
    """Return the folded form of a new login name; raise ``IdentityInvalid``."""
    folded = folded_name(name)
    if len(name) > MAX_GIVEN or _NAME.fullmatch(folded) is None:
        msg = "a login name has 1 to 64 letters, digits, Chinese characters or . _ @ -"
        raise IdentityInvalid(msg)
    return folded


def document_text(document: IdentityDocument, today: date) -> bytes:
    """Return the canonical text a person key is a keyed hash of; raise ``IdentityInvalid``."""
    number = unicodedata.normalize("NFKC", document.number[:MAX_GIVEN]).strip().upper()
    if document.type == "cn-id":
        number = canonical_id_number(number, today)
    elif _DOCUMENT.fullmatch(number) is None:
        msg = "a document number has 5 to 30 letters and digits"
        raise IdentityInvalid(msg)
    return f"{document.type}|{number}".encode()


def address_block(address: str) -> str:
    """Return the /24 (IPv4) or /56 (IPv6) that ``address`` is counted with (never raises)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = 24 if parsed.version == 4 else 56  # noqa: PLR2004 - the two IP versions
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))
