"""Evidence on flows: each way in or out of the platform, whether it is encrypted, and a probe."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from audits.models.evidence import Fact
from detectors.adapters.log_store import SEGMENTS
from secops.bridges.evidence.looking import Look, Looks, Sight
from secops.bridges.listening import listener_options
from secops.settings import Settings, is_loopback

_SECONDS: Final = 1.0
_VERSIONS: Final = {"TLSv1": 10, "TLSv1.1": 11, "TLSv1.2": 12, "TLSv1.3": 13}
_AEAD: Final = ("GCM", "CCM", "POLY1305")
_APPROVED: Final = "SM4"
"""Suites of TLCP (GB/T 38636) and RFC 8998."""
_EVERY: Final = ("0.0.0.0", "::", "*", "")  # noqa: S104 - recognised, not bound
_CLEAR: Final = frozenset({"http", "ldap", "smtp", "tcp", "ws"})
_SAFE_DATABASE: Final = ("require", "verify-ca", "verify-full")


Probe = Callable[[str, int], Mapping[str, Fact]]


class TransportEvidence:
    """Reads the settings, and shakes hands with the platform's own TLS listener."""

    def __init__(self, settings: Settings, probe: Probe) -> None:
        self._settings = settings
        self._probe = probe

    @property
    def looks(self) -> Looks:
        """What can be looked for."""
        return {"tls.scan": self._scan}

    def _scan(self, _look: Look) -> Sight:
        settings = self._settings
        remote = [address for address in settings.addresses if not is_loopback(address)]
        behind_proxy = bool(settings.trusted_proxies)
        flows = list(self._flows())
        clear = sorted(name for name, is_clear in flows if is_clear)
        facts: dict[str, Fact] = {
            "listeners_plain": 0 if settings.tls or behind_proxy else len(remote),
            "listeners_encrypted": settings.tls or settings.origin.startswith("https:"),
            "listeners_tls": int(settings.tls),
            "flows": len(flows),
            "flows_plain": len(clear),
            "flows_plain_names": " ".join(clear),
        }
        if settings.tls:
            facts |= self._probe(_reachable(settings.addresses[0]), settings.port)
        return Sight(facts, "listeners, destinations and sources in the settings", link="/")

    def _flows(self) -> Iterator[tuple[str, bool]]:
        """Yield each flow that leaves the machine or comes to it, and whether it is in clear."""
        settings = self._settings
        for name in _ADDRESSES:
            url = str(getattr(settings, name))
            if url and url != SEGMENTS:
                parts = urlsplit(url)
                if not _is_local(parts.hostname):
                    yield name, parts.scheme in _CLEAR
        if settings.mail_server:
            yield "mail_server", settings.mail_encryption == "none"
        database = urlsplit(settings.database_url)
        if database.hostname and not _is_local(database.hostname):
            mode = parse_qs(database.query).get("sslmode", [""])[0]
            yield "database_url", mode not in _SAFE_DATABASE
        for endpoint in listener_options(settings).endpoints:
            if not _is_local(endpoint.host):
                yield f"syslog_{endpoint.transport}", endpoint.transport != "tls"


_ADDRESSES: Final = (
    "logstore_url",
    "webhook_url",
    "sms_gateway_url",
    "time_stamp_url",
    "time_stamp_sm3_url",
    "province_seal_url",
)


def probe(address: str, port: int) -> dict[str, Fact]:
    """Return what a handshake with the listener agrees on; nothing where nobody answers.

    Whom the certificate names does not matter here: nothing is sent.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain) as shaken,
        ):
            suite, _, bits = shaken.cipher() or ("", "", 0)
            return {
                "probe_version": _VERSIONS.get(shaken.version() or "", 0),
                "probe_aead": int(any(word in suite for word in _AEAD)),
                "suite": suite,
                "suite_approved": _APPROVED in suite,
                "least_bits": bits,
            }
    except OSError:
        return {}


def _reachable(address: str) -> str:
    return "127.0.0.1" if address in _EVERY else address


def _is_local(host: str | None) -> bool:
    return not host or host == "localhost" or (host not in _EVERY and is_loopback(host))
