"""Mail addresses and webhook addresses as an administrator enters them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

MAX_ADDRESS: Final = 254
"""Octets of a mail address (RFC 5321 §4.5.3.1.3)."""
MAX_URL: Final = 2_048
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MAX_LOCAL: Final = 64


def mail_address(text: str) -> str:
    """Return the one ASCII spelling of a mail address; raise ``ValueError``.

    A domain in another script becomes its A-labels (RFC 5890 by way of IDNA 2003).
    """
    if len(text) > MAX_ADDRESS:
        msg = "the mail address is too long"
        raise ValueError(msg)
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    try:
        host = domain.encode("idna").decode().lower()
    except UnicodeError as error:
        msg = "the mail address has no proper domain"
        raise ValueError(msg) from error
    labels = host.split(".")
    fits = _LOCAL.fullmatch(local) is not None and len(local) <= _MAX_LOCAL and len(labels) > 1
    found = f"{local}@{host}"
    if not at or not fits or not all(map(_LABEL.fullmatch, labels)) or len(found) > MAX_ADDRESS:
        msg = "this is no mail address"
        raise ValueError(msg)
    return found


def webhook_host(url: str) -> str:
    """Return the host of an https address, which alone may be shown; raise ``ValueError``."""
    plain = url.isascii() and url.isprintable() and not set(url) & set(' \\"<>')
    if len(url) > MAX_URL or not plain:
        msg = "the address is an https URL of ASCII"
        raise ValueError(msg)
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.port == 0:
        msg = "the address is an https URL without user and password"
        raise ValueError(msg)
    return parts.hostname


def masked_mail(address: str) -> str:
    """Return what may be shown of a mail address: ``z***@example.gov.cn``."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"
