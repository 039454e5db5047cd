"""Numbers and mail addresses that codes go to: one spelling each, and how they are shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from iam.errors import AddressInvalid
from iam.models.messages import Channel

MAX_ADDRESS: Final = 254
"""Octets of a mail address (RFC 5321 §4.5.3.1.3, less the angle brackets)."""
_HOME: Final = "+86"
_HOME_NUMBER: Final = re.compile(r"1[3-9][0-9]{9}")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""E.164: a country code and at most 15 digits in all."""
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL: Final = re.compile(
    rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})+)", re.ASCII
)
_MAX_LOCAL: Final = 64
_SHOWN: Final = 3
_ENDING: Final = 4


def normal_address(channel: Channel, text: str, prefixes: Sequence[str]) -> str:
    """Return the one spelling of an address; raise ``AddressInvalid``.

    ``prefixes`` are the country codes that messages go to: other countries' numbers cost
    whoever sends and earn whoever owns them, so none is admitted unless it is listed.
    """
    plain = unicodedata.normalize("NFKC", text[: 2 * MAX_ADDRESS]).strip()
    if len(text) > 2 * MAX_ADDRESS:
        raise AddressInvalid
    return _number(plain, prefixes) if channel == "sms" else _mail(plain)


def counted_address(channel: Channel, address: str) -> str:
    """Return what messages to a normal address are counted under.

    One mailbox has many spellings: capitals, and whatever follows a plus sign.
    """
    if channel == "sms":
        return address
    local, _, domain = address.partition("@")
    return f"{local.partition('+')[0].lower()}@{domain}"


def masked_address(channel: Channel, address: str) -> str:
    """Return what is shown of an address: ``138****5678``, ``z***@example.gov.cn``."""
    if channel == "mail":
        local, _, domain = address.partition("@")
        return f"{local[:1]}***@{domain}"
    national = address.removeprefix(_HOME)
    shown = _SHOWN if national != address else _ENDING
    return f"{national[:shown]}****{national[-_ENDING:]}"


def _number(plain: str, prefixes: Sequence[str]) -> str:
    digits = re.sub(r"[ ()-]", "", plain)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if _HOME_NUMBER.fullmatch(digits):
        digits = f"{_HOME}{digits}"
    home = digits.startswith(_HOME)
    fits = _HOME_NUMBER.fullmatch(digits[len(_HOME) :]) if home else _NUMBER.fullmatch(digits)
    if fits is None or not any(digits.startswith(prefix) for prefix in prefixes):
        raise AddressInvalid
    return digits


def _mail(plain: str) -> str:
    found = _MAIL.fullmatch(plain)
    if found is None or len(plain) > MAX_ADDRESS or len(found["local"]) > _MAX_LOCAL:
        raise AddressInvalid
    return f"{found['local']}@{found['domain'].lower()}"
