"""Whose syslog it is: by the peer's address, and behind a relay by the host in the line.

A name in a line is what the sender wrote, so it counts only among the sources that the peer's
own address may speak for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.events.text import fold
from detectors.models.logs import LogSource

MAX_PEERS: Final = 256
Candidates = Sequence[tuple[frozenset[str], LogSource]]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadPeer(ValueError):
    """What is written is no address, network or name."""


@dataclass(frozen=True, slots=True)
class _Entry:
    network: _Network | None
    name: str
    hosts: frozenset[str]
    source: LogSource

    @property
    def width(self) -> int:
        return -1 if self.network is None else self.network.prefixlen


class PeerTable:
    """Finds the source of a peer; the narrowest network that holds it counts."""

    def __init__(self, sources: Iterable[LogSource]) -> None:
        entries = [entry for source in sources for entry in _entries(source)]
        self._entries = sorted(entries, key=lambda e: (-e.width, e.source.name, e.source.org_id))

    def candidates(self, peer: str, name: str = "") -> Candidates:
        """Return (hosts, source) of those that ``peer`` may speak for, the nearest first.

        ``name`` is that of its certificate; an entry ``tls:NAME`` takes that alone.
        """
        try:
            address = _plain(ipaddress.ip_address(peer))
        except ValueError:
            return ()
        named = [e for e in self._entries if e.network is None and name and e.name == fold(name)]
        near = named or [e for e in self._entries if e.network is not None and address in e.network]
        width = near[0].width if near else 0
        return [(e.hosts, e.source) for e in near if e.width == width]


def choose(candidates: Candidates, host: str) -> LogSource | None:
    """Return the source that names ``host``, else the one that names none."""
    wanted = fold(host)
    plain = None
    for hosts, source in candidates:
        if wanted and wanted in hosts:
            return source
        if not hosts and plain is None:
            plain = source
    return plain


def check_peers(written: str) -> None:
    """Raise ``BadPeer`` unless ``written`` is a list of addresses, networks and TLS names."""
    parts = _parts(written)
    if len(parts) > MAX_PEERS:
        msg = f"more than {MAX_PEERS} peers"
        raise BadPeer(msg)
    for part in parts:
        _peer(part)


def _entries(source: LogSource) -> Iterable[_Entry]:
    hosts = frozenset(fold(host) for host in _parts(source.hosts))
    for part in _parts(source.peers):
        network, name = _peer(part)
        yield _Entry(network, name, hosts, source)


def _parts(written: str) -> list[str]:
    return [part.strip() for part in written.split(",") if part.strip()]


def _peer(written: str) -> tuple[_Network | None, str]:
    if written.startswith("tls:"):
        return None, fold(written.removeprefix("tls:"))
    try:
        network = ipaddress.ip_network(written)
    except ValueError as error:
        msg = f"{written[:60]!r} is no address, network or tls:NAME"
        raise BadPeer(msg) from error
    return network, ""


def _plain(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
