"""Observables in their one written form, so that the same thing is found as the same."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from playbooks.models.incident_work import OBSERVABLE_KINDS, ObservableKind
from secops.kernel.errors import Invalid

MAX_VALUE: Final = 2_000
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_MAX_DOMAIN: Final = 253
_DIGITS: Final[dict[str, int]] = {"md5": 32, "sha1": 40, "sha256": 64, "sm3": 64}
_PORTS: Final = {"http": 80, "https": 443, "ftp": 21}
_SUBJECTS: Final[dict[str, ObservableKind]] = {
    "address": "ip",
    "source.ip": "ip",
    "destination.ip": "ip",
    "client.ip": "ip",
    "account": "account",
    "user": "account",
    "user.name": "account",
    "session": "session",
    "client": "client",
    "host": "host",
    "host.name": "host",
    "domain": "domain",
    "dns.question.name": "domain",
    "url": "url",
    "url.full": "url",
    "file.hash.sha256": "sha256",
    "file.hash.md5": "md5",
    "file.hash.sha1": "sha1",
}


def normalise_observable(kind: str, value: str) -> tuple[ObservableKind, str]:
    """Return kind and written form; raise ``Invalid`` for what is none.

    ``hxxp``, ``[.]`` and ``[:]``, by which people make addresses harmless, are read as meant.
    """
    if kind not in OBSERVABLE_KINDS:
        msg = f"kinds are {', '.join(OBSERVABLE_KINDS)}"
        raise Invalid(msg)
    text = unicodedata.normalize("NFC", value).strip()
    if not text or len(text) > MAX_VALUE or not text.isprintable():
        msg = f"an observable has 1 to {MAX_VALUE} printable characters"
        raise Invalid(msg)
    return kind, _written(kind, text)


def subject_observable(subject: str, value: str) -> tuple[ObservableKind, str] | None:
    """Return what an alert's subject is as an observable; None for what isn't well formed."""
    kind = _SUBJECTS.get(subject, "other")
    try:
        return normalise_observable(kind, value)
    except Invalid:
        return None


def _written(kind: ObservableKind, text: str) -> str:
    if kind in _DIGITS:
        return _digest(kind, text)
    if kind == "host":
        return text.casefold()
    write = {"ip": _address, "domain": _domain, "url": _url, "email": _mailbox}.get(kind)
    return text if write is None else write(_armed(text))


def _armed(text: str) -> str:
    harmless = text.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").replace("[@]", "@")
    return re.sub(r"^hxxp", "http", harmless, flags=re.IGNORECASE)


def _address(text: str) -> str:
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError as error:
        msg = "this is no IP address"
        raise Invalid(msg) from error
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            msg = "an address with a zone means something on one machine only"
            raise Invalid(msg)
        return str(found.ipv4_mapped or found)
    return str(found)


def _domain(text: str) -> str:
    try:
        name = text.rstrip(".").encode("idna").decode().lower()
    except UnicodeError as error:
        msg = "this is no domain name"
        raise Invalid(msg) from error
    labels = name.split(".")
    plain = all(_LABEL.fullmatch(label) for label in labels)
    if len(name) > _MAX_DOMAIN or len(labels) == 1 or not plain or labels[-1].isdigit():
        msg = "this is no domain name"
        raise Invalid(msg)
    return name


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        msg = "this is no URL"
        raise Invalid(msg) from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host:
        msg = f"a URL begins with one of {', '.join(_PORTS)} and names a host"
        raise Invalid(msg)
    try:
        shown = _address(host)
        shown = f"[{shown}]" if ":" in shown else shown
    except Invalid:
        shown = _domain(host) if "." in host else host.lower()
    place = shown if port in (None, _PORTS[scheme]) else f"{shown}:{port}"
    # who signs in (user:password@) is no part of the place, and a secret besides
    return urlunsplit((scheme, place, parts.path or "/", parts.query, ""))


def _mailbox(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or "@" in local or any(c.isspace() for c in local):
        msg = "this is no e-mail address"
        raise Invalid(msg)
    return f"{local.casefold()}@{_domain(domain)}"


def _digest(kind: str, text: str) -> str:
    digest = text.lower()
    if len(digest) != _DIGITS[kind] or not re.fullmatch("[0-9a-f]+", digest):
        msg = f"{kind} has {_DIGITS[kind]} hexadecimal digits"
        raise Invalid(msg)
    return digest
