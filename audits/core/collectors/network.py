"""Ports that listen, and how the kernel treats packets. Source: ss(8), netstat(8), sysctl(8).

A loopback listener is no exposure. What containers publish by address translation is not
among the sockets: ``host.firewall`` counts it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from audits.core.collectors.reading import Looker, listed, number

LISTENERS: Final = "host.listeners"
KERNEL: Final = "host.kernel"
_SOCKET: Final = re.compile(r"\b(tcp|udp)6?\b")
_NAMES: Final = re.compile(r'\("([^"]{1,60})"|[0-9]{1,9}/(\S{1,60})')
CLEAR_TEXT: Final = {21: "ftp", 23: "telnet", 69: "tftp", 512: "rexec", 513: "rlogin", 514: "rsh"}
SHARES: Final = {
    111: "rpcbind",
    135: "msrpc",
    139: "netbios",
    445: "smb",
    873: "rsync",
    2049: "nfs",
}
_SYSLOG: Final = ("udp", 514)
_BASELINE: Final = {
    "net.ipv4.conf.all.accept_redirects": ("0",),
    "net.ipv4.conf.all.accept_source_route": ("0",),
    "net.ipv4.conf.all.send_redirects": ("0",),
    "net.ipv4.conf.all.rp_filter": ("1", "2"),
    "net.ipv4.tcp_syncookies": ("1", "2"),
    "net.ipv4.icmp_echo_ignore_broadcasts": ("1",),
    "net.ipv6.conf.all.accept_redirects": ("0",),
    "kernel.randomize_va_space": ("2",),
    "kernel.dmesg_restrict": ("1",),
    "fs.suid_dumpable": ("0", "2"),
    "fs.protected_symlinks": ("1",),
    "fs.protected_hardlinks": ("1",),
}
"""Our baseline (policy): values that are no weaker than what these parameters are there for."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket that listens beyond loopback."""

    protocol: str
    port: int
    process: str


def look_at_listeners(look: Looker) -> None:
    """Note what can be reached from outside as far as the host itself knows."""
    lines = look.lines("net.sockets")
    if lines is None:
        return
    rows = [line for line in lines if _SOCKET.match(line.strip())]
    if lines != [""] and not rows and len(lines) > 2:  # noqa: PLR2004 - a heading and an end
        look.lack("net.sockets: this is not what ss or netstat prints")
        return
    sockets = {socket for line in rows if (socket := _socket(line)) is not None}
    exposed = {(each.protocol, each.port) for each in sockets}
    look.note("exposed", len(exposed))
    for protocol in ("tcp", "udp"):
        ports = sorted(port for p, port in exposed if p == protocol)
        look.note(f"{protocol}_ports", listed([str(port) for port in ports]))
    clear = [CLEAR_TEXT[port] for p, port in sorted(exposed - {_SYSLOG}) if port in CLEAR_TEXT]
    shares = [SHARES[port] for _, port in sorted(exposed) if port in SHARES]
    look.note("clear_text", len(set(clear)))
    look.note("clear_text_names", listed(sorted(set(clear))))
    look.note("shares", len(set(shares)))
    look.note("share_names", listed(sorted(set(shares))))
    unnamed = sum(not each.process for each in sockets)
    look.note("unnamed", unnamed)
    if unnamed:
        look.lack("net.sockets: whose some sockets are is told to root alone")


def _socket(line: str) -> Socket | None:
    words = line.split()
    protocol = words[0].removesuffix("6")
    # ss puts the state second and the local address fifth, netstat the local address fourth
    local = words[4:5] if words[1:2] in (["LISTEN"], ["UNCONN"]) else words[3:4]
    place, _, last = (local[0] if local else "").rpartition(":")
    port = number(last)
    if port is None or not 0 < port <= 65_535 or _is_loopback(place):  # noqa: PLR2004 - 16 bits
        return None
    found = _NAMES.search(line)
    return Socket(protocol, port, (found[1] or found[2]) if found else "")


def _is_loopback(place: str) -> bool:
    bare, _, interface = place.strip("[]").partition("%")
    if interface.rstrip("]") == "lo":
        return True
    try:
        address = ipaddress.ip_address(bare.rstrip("]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def look_at_kernel(look: Looker) -> None:
    """Note which parameters are weaker than the baseline."""
    lines = look.lines("sysctl")
    if lines is None:
        return
    said = {name.strip(): value.strip() for name, _, value in (x.partition("=") for x in lines)}
    known = [name for name in _BASELINE if name in said]
    weak = [name for name in known if said[name] not in _BASELINE[name]]
    if not known:
        look.lack("sysctl: none of the baseline's parameters was read")
        return
    look.note("parameters", len(known))
    look.note("weak", len(weak))
    look.note("weak_names", listed(weak))
    look.note("forwards", said.get("net.ipv4.ip_forward") == "1")
