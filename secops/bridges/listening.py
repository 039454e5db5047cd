"""Where the scheduler's process listens for syslog, from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from detectors.models.listening import Endpoint, ListenerOptions, Transport
from secops.settings import Settings, SettingsRejected

_MAX_PORT: Final = 65_535


def listener_options(settings: Settings) -> ListenerOptions:
    """Return the listeners' options; raise ``SettingsRejected`` naming the bad setting."""
    cert, key = settings.syslog_tls_cert, settings.syslog_tls_key
    cert, key = (cert, key) if cert or key else (settings.tls_cert, settings.tls_key)
    if settings.syslog_tls and not (cert and key):
        raise SettingsRejected("syslog_tls needs syslog_tls_cert and syslog_tls_key")
    return ListenerOptions(
        endpoints=(
            *_endpoints("udp", settings.syslog_udp),
            *_endpoints("tcp", settings.syslog_tcp),
            *_endpoints("tls", settings.syslog_tls),
        ),
        max_message=settings.syslog_max_message,
        max_connections=settings.syslog_max_connections,
        idle_seconds=settings.syslog_idle_seconds,
        tls_cert=cert,
        tls_key=key,
        client_ca=settings.syslog_client_ca,
    )


def _endpoints(transport: Transport, written: str) -> Iterator[Endpoint]:
    """Yield ``HOST:PORT`` parts; ``*:PORT`` is every address of both families."""
    for part in filter(None, (each.strip() for each in written.split(","))):
        host, colon, port = part.rpartition(":")
        if not (colon and port.isascii() and port.isdigit() and int(port) <= _MAX_PORT):
            raise SettingsRejected(f"syslog_{transport} is HOST:PORT, separated by commas")
        yield Endpoint(transport, host.strip("[]"), int(port))
