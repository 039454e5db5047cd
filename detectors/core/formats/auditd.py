"""Records of the Linux audit daemon (auditd, ``log_format`` RAW or ENRICHED)."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from detectors.core.events.text import canonical_address
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.times import epoch_time
from secops.kernel.logs import Value

_HEAD: Final = re.compile(
    r"(?:node=(\S+) )?type=(\S+) msg=audit\((\d+\.\d+):(\d+)\): ?(.*)", re.DOTALL
)
_PAIR: Final = re.compile(r"""([A-Za-z0-9_-]+(?:\[\d+\])?)=("[^"]*"|'[^']*'|[^\s,]*)""")
_HEX_FIELDS: Final = re.compile(r"a\d+(?:\[\d+\])?|proctitle|exe|comm|name|cwd|cmd|acct|path|data")
_REGISTERS: Final = frozenset({"a0", "a1", "a2", "a3"})
"""In SYSCALL these are numbers, which may look like text in hex."""
_HEX: Final = re.compile(r"(?:[0-9A-F]{2})+")
_ECS: Final = {
    "exe": "process.executable",
    "comm": "process.name",
    "pid": "process.pid",
    "cwd": "process.working_directory",
    "acct": "user.name",
    "auid": "user.audit.id",
    "uid": "user.id",
    "terminal": "process.tty",
}
_INET, _INET6 = 2, 10
_INET_BYTES, _INET6_BYTES = 8, 24
"""Family, port, (flow,) address of struct sockaddr_in and sockaddr_in6."""
_OUTCOMES: Final = {"yes": "success", "success": "success", "no": "failure", "failed": "failure"}


def parse_auditd(raw: bytes, context: Context) -> Parsed:
    """Read one record; values that audit writes in hex are decoded (ausearch(8) ``-i``)."""
    found = _HEAD.fullmatch(decode_line(raw, context.encoding))
    if found is None:
        reason = "not_auditd"
        raise BadLine(reason)
    node, kind, stamp, serial, rest = found.groups()
    fields: dict[str, Value] = {
        "event.module": "auditd",
        "type": kind,
        "event.code": kind,
        "audit.serial": serial,
    }
    if node:
        fields["host.name"] = node
    plain, _, enriched = rest.partition("\x1d")
    _pairs(plain, fields, kind)
    if enriched:
        _pairs(enriched, fields, kind)
    return Parsed(epoch_time(stamp), fields)


def _pairs(text: str, fields: dict[str, Value], kind: str) -> None:
    for name, written in _PAIR.findall(text):
        if written.startswith("'"):
            _pairs(written[1:-1], fields, kind)  # msg='op=PAM:authentication acct="root"'
            continue
        value = _plain(name, written, kind)
        fields.setdefault(name, value)
        ecs = _ECS.get(name)
        if ecs is not None:
            fields.setdefault(ecs, value)
    address = canonical_address(str(fields.get("addr", "")))
    if address is not None:
        fields["source.ip"] = address
    outcome = _OUTCOMES.get(str(fields.get("success", fields.get("res", ""))))
    if outcome is not None:
        fields["event.outcome"] = outcome
    if "op" in fields:
        fields["event.action"] = fields["op"]


def socket_address(written: str) -> dict[str, Value]:
    """Return the other side that SOCKADDR's ``saddr`` (hex, little-endian machine) names."""
    try:
        octets = bytes.fromhex(written)
    except ValueError:
        return {}
    family = int.from_bytes(octets[:2], "little")
    fields: dict[str, Value] = {}
    if family == _INET and len(octets) >= _INET_BYTES:
        fields["destination.ip"] = str(ipaddress.IPv4Address(octets[4:8]))
    elif family == _INET6 and len(octets) >= _INET6_BYTES:
        address = ipaddress.IPv6Address(octets[8:24])
        fields["destination.ip"] = str(address.ipv4_mapped or address)
    else:
        return {}
    fields["destination.port"] = str(int.from_bytes(octets[2:4], "big"))
    return fields


def _plain(name: str, written: str, kind: str) -> str:
    if written.startswith('"'):
        return written[1:-1]
    is_register = kind == "SYSCALL" and name in _REGISTERS
    if not is_register and _HEX_FIELDS.fullmatch(name) and _HEX.fullmatch(written):
        return bytes.fromhex(written).replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    return written
