"""What the listeners hear, and how they are set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Transport = Literal["udp", "tcp", "tls"]

QUARANTINE = "syslog-quarantine"
"""The source of what unknown peers send."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message. ``peer`` is the address it came from, ``at`` its arrival (UTC microseconds).

    ``name`` is the peer's own by its certificate, "" without one.
    """

    peer: str
    raw: bytes
    at: int
    transport: Transport
    cut: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one listener listens; ``host`` "" is every address, IPv4 and IPv6."""

    transport: Transport
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """The listeners and their limits: bytes of a message, connections, seconds of silence.

    ``client_ca`` names a PEM file: then only peers with a certificate of it are heard.
    """

    endpoints: tuple[Endpoint, ...] = ()
    max_message: int = 65_536
    max_connections: int = 512
    idle_seconds: int = 600
    tls_cert: str = ""
    tls_key: str = ""
    client_ca: str = ""


@dataclass(frozen=True, slots=True)
class ListenerCounts:
    """What the listeners of this process have done since they were opened."""

    heard: int = 0
    stored: int = 0
    dropped: int = 0
    connections: int = 0
    refused: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class ListenerState:
    """Where the running service listens (``udp 0.0.0.0:514``), or why it does not."""

    opened: tuple[str, ...]
    failure: str = ""
