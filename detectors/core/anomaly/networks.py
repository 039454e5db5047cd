"""The operator's table of networks: country, autonomous system. Pure look-ups, no database.

Lines are ``CIDR,COUNTRY[,ASN]``; ``#`` begins a comment. The most specific network counts.
"""

from __future__ import annotations

import csv
import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from detectors.errors import NetworkTableRejected

MAX_NETWORKS: Final = 1_000_000
UNKNOWN: Final = "?"
_COUNTRY: Final = 2
_BLOCK: Final = {4: 24, 6: 56}

Origin = tuple[str, str]
"""Country (ISO 3166-1 alpha-2, lower case) and autonomous system, ``?`` where unknown."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Disjoint ranges in order. ``starts[i]`` begins ``origins[i]``, per IP version."""

    ranges: dict[int, tuple[list[int], list[Origin]]]

    def origin(self, address: str) -> Origin:
        """Return country and autonomous system of ``address``; ``?`` for what isn't listed."""
        parsed = parse_address(address)
        if parsed is None or parsed.version not in self.ranges:
            return (UNKNOWN, UNKNOWN)
        starts, origins = self.ranges[parsed.version]
        place = bisect_right(starts, int(parsed)) - 1
        return origins[place] if place >= 0 else (UNKNOWN, UNKNOWN)


NO_NETWORKS: Final = Networks({})


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address, an IPv4-mapped one as IPv4; None if it is none."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def block_of(address: str) -> str:
    """Return the /24 (IPv4) or /56 (IPv6) of ``address``, ``?`` if it is no address."""
    parsed = parse_address(address)
    if parsed is None:
        return UNKNOWN
    return str(ipaddress.ip_network((parsed, _BLOCK[parsed.version]), strict=False))


def read_networks(lines: Iterable[str]) -> Networks:
    """Return the table; raise ``NetworkTableRejected`` with the line's number."""
    found: dict[int, list[tuple[int, int, Origin]]] = {}
    for number, row in enumerate(csv.reader(lines), 1):
        if not row or row[0].lstrip().startswith("#"):
            continue
        if number > MAX_NETWORKS:
            raise NetworkTableRejected(f"more than {MAX_NETWORKS} lines")
        version, entry = _entry(number, [cell.strip() for cell in row])
        found.setdefault(version, []).append(entry)
    return Networks({version: _flat(entries) for version, entries in found.items()})


def _entry(number: int, row: list[str]) -> tuple[int, tuple[int, int, Origin]]:
    try:
        network = ipaddress.ip_network(row[0])
    except ValueError as error:
        raise NetworkTableRejected(f"line {number}: {row[0][:60]!r} is no network") from error
    country = row[1].lower() if len(row) > 1 else ""
    if len(country) != _COUNTRY or not country.isalpha():
        raise NetworkTableRejected(f"line {number}: the country has two letters")
    system = row[2].lower()[:20] if len(row) > 2 and row[2] else UNKNOWN  # noqa: PLR2004 - column
    first, last = int(network.network_address), int(network.broadcast_address)
    return network.version, (first, last, (country, system.replace("/", "_")))


def _flat(entries: list[tuple[int, int, Origin]]) -> tuple[list[int], list[Origin]]:
    """Cut nested networks into disjoint ranges; networks nest or are apart, never overlap."""
    starts: list[int] = []
    origins: list[Origin] = []
    open_ones: list[tuple[int, Origin]] = []

    def begin(at: int, origin: Origin) -> None:
        if starts and starts[-1] == at:
            origins[-1] = origin
            return
        starts.append(at)
        origins.append(origin)

    def close_before(at: int) -> None:
        while open_ones and open_ones[-1][0] < at:
            ended, _ = open_ones.pop()
            begin(ended + 1, open_ones[-1][1] if open_ones else (UNKNOWN, UNKNOWN))

    for first, last, origin in sorted(entries, key=lambda entry: (entry[0], -entry[1])):
        close_before(first)
        begin(first, origin)
        open_ones.append((last, origin))
    close_before(1 << 129)
    return starts, origins
