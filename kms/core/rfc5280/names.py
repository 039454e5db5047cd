"""Names that a certificate may carry: of hosts, of addresses, of mailboxes; and how it reads."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.rfc5280.profiles import NameForm

MAX_NAMES: Final = 20
MAX_COMMON_NAME: Final = 64
"""Characters of a commonName, organizationName or organizationalUnitName (RFC 5280 A.1, ub-*)."""
_MAX_HOST: Final = 253
_MAX_MAIL: Final = 254
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_MAILBOX: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}", re.ASCII)


class NameRefused(ValueError):
    """A name that no certificate of ours carries; the message says why."""


@dataclass(frozen=True, slots=True)
class AlternativeNames:
    """The names of a subjectAltName, each in the form that certificates use.

    ``addresses`` are IP addresses as text; a name stands once.
    """

    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.hosts or self.addresses or self.mails)

    @property
    def packed_addresses(self) -> tuple[bytes, ...]:
        """The addresses as 4 or 16 bytes."""
        return tuple(ipaddress.ip_address(address).packed for address in self.addresses)

    def texts(self) -> tuple[str, ...]:
        """Return every name as ``kind:name``."""
        return (
            *(f"dns:{host}" for host in self.hosts),
            *(f"ip:{address}" for address in self.addresses),
            *(f"mail:{mail}" for mail in self.mails),
        )


def check_names(names: AlternativeNames, form: NameForm) -> None:
    """Raise ``NameRefused`` unless ``names`` are what a profile of ``form`` takes."""
    texts = names.texts()
    if len(texts) > MAX_NAMES or len(set(texts)) != len(texts):
        msg = f"a certificate has at most {MAX_NAMES} names, each once"
        raise NameRefused(msg)
    if form != "hosts" and (names.hosts or names.addresses):
        msg = "this kind of certificate names no hosts"
        raise NameRefused(msg)
    if form != "mail" and names.mails:
        msg = "this kind of certificate names no mailboxes"
        raise NameRefused(msg)
    if form == "hosts" and not names:
        msg = "a server's certificate names its hosts as subjectAltName"
        raise NameRefused(msg)
    _require(names.hosts, is_host, "a host name in lower case without wildcard")
    _require(names.mails, is_mailbox, "a mailbox")


def is_host(name: str) -> bool:
    """Tell whether ``name`` is a host's: labels of letters, digits and hyphens (RFC 1034 §3.5).

    No wildcard, and not all digits at the end: that would be an address.
    """
    labels = name.split(".")
    sound = all(_LABEL.fullmatch(label) for label in labels)
    return sound and len(name) <= _MAX_HOST and not labels[-1].isdigit()


def is_mailbox(name: str) -> bool:
    """Tell whether ``name`` is a mailbox in ASCII whose domain is a host's name."""
    local, at, domain = name.rpartition("@")
    sound = _MAILBOX.fullmatch(local) is not None and is_host(domain)
    return bool(at) and sound and len(name) <= _MAX_MAIL


def check_text(text: str, what: str) -> str:
    """Return ``text`` without blanks at its ends; raise ``NameRefused`` unless it fits a name."""
    plain = text.strip()
    if not 1 <= len(plain) <= MAX_COMMON_NAME or not plain.isprintable():
        msg = f"{what} has 1 to {MAX_COMMON_NAME} printable characters"
        raise NameRefused(msg)
    return plain


def _require(names: Sequence[str], accepts: Callable[[str], bool], what: str) -> None:
    for name in names:
        if not accepts(name):
            msg = f"{name[:80]!r} is not {what}"
            raise NameRefused(msg)
