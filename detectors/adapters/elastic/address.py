"""Where the cluster is and who we are there: a log store's URL, read strictly."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from detectors.errors import LogStoreMisconfigured

SCHEME: Final = "elasticsearch+"
PORT: Final = 9200
PREFIX: Final = "secops-logs"
_PREFIX: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@dataclass(frozen=True, slots=True)
class ElasticAddress:
    """``hosts`` are plain origins; ``prefix`` begins the name of every index of ours.

    Either ``user`` and ``password`` or ``api_key`` (as Elasticsearch encodes it) is set.
    ``authority`` is a CA file; None trusts the system's.
    """

    hosts: tuple[str, ...]
    prefix: str = PREFIX
    user: str = ""
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    authority: Path | None = None


def read_address(url: str, home: Path, *, api_key: str = "", authority: str = "") -> ElasticAddress:
    """Return what ``elasticsearch+https://user:pass@host:9200,host:9200/prefix`` says.

    ``authority`` is relative to ``home``. Raises ``LogStoreMisconfigured``, without the URL:
    it may hold a password.
    """
    scheme, _, rest = url.removeprefix(SCHEME).partition("://")
    if scheme not in ("https", "http") or not url.startswith(SCHEME):
        raise LogStoreMisconfigured("write elasticsearch+https://user:password@host:9200")
    place, _, path = rest.partition("/")
    identity, at, listed = place.rpartition("@")
    user, colon, password = identity.partition(":")
    if at and not (user and colon and password):
        raise LogStoreMisconfigured("before the @ stands user:password")
    if at and api_key:
        raise LogStoreMisconfigured("user and password and an API key are given: take one")
    prefix = path.strip("/") or PREFIX
    if _PREFIX.fullmatch(prefix) is None:
        raise LogStoreMisconfigured("an index prefix is of a-z, 0-9 and -, at most 80")
    if authority and scheme == "http":
        raise LogStoreMisconfigured("a CA file goes with https")
    file = home / authority if authority else None
    if file is not None and not file.is_file():
        raise LogStoreMisconfigured(f"there is no CA file {file}")
    hosts = tuple(_origin(scheme, host) for host in listed.split(","))
    return ElasticAddress(hosts, prefix, unquote(user), unquote(password), api_key, file)


def _origin(scheme: str, written: str) -> str:
    try:
        parts = urlsplit(f"{scheme}://{written}")
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        host = None
        port = PORT
    if not host or parts.path or parts.query or parts.fragment:
        raise LogStoreMisconfigured("a host is name or address and port: es1.example:9200")
    if scheme == "http" and not _is_loopback(host):
        raise LogStoreMisconfigured(f"{host} is not loopback: only https is encrypted")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
