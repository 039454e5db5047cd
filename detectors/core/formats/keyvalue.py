r"""``name=value`` lines of firewalls: Huawei, H3C, Topsec, Fortinet, iptables and their like.

Values may be quoted (``\"`` inside is a quote); names may carry a number (``SrcIPAddr(1003)``,
H3C). Where a line's pairs are parted by ``;`` or ``,`` (Huawei, H3C) a bare value may hold
blanks. Every pair is kept as ``kv.NAME``; what the vendors call by many names becomes ECS too.
Marks ``%%01MODULE/6/BRIEF(l):`` (Huawei) and ``%%10MODULE/6/BRIEF:`` (H3C) name the event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from detectors.core.events.text import add_value, canonical_address
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.times import epoch_time, iso_time
from secops.kernel.logs import Value

MAX_PAIRS: Final = 500
_LEAST: Final = 3
"""Pairs that make a line one of this format."""
_MARK: Final = re.compile(
    r"%%(\d\d) ?(?P<module>[A-Za-z0-9_-]{1,64})/(?P<level>\d)/(?P<brief>[A-Za-z0-9_-]{1,64})"
    r"(?:\(\w\))?(?:\[\d+\])?: ?"
)
_TOKEN: Final = re.compile(
    r'(?:^|(?<=[\s,;]))([A-Za-z_][A-Za-z0-9_.-]{0,63})(?:\(\d{1,6}\))?=("?)|"'
)
_QUOTED: Final = re.compile(r'([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_PARTED: Final = re.compile(r"=[^\s\"=,;]*(?: [^\s\"=,;]+)*[,;] *[A-Za-z_][\w.-]*(?:\(\d+\))?=")
PORT: Final = re.compile(r"\d{1,5}")
_ECS: Final = {
    "source.ip": ("src", "srcip", "sourceip", "srcipaddr", "src_ip"),
    "source.port": ("sport", "srcport", "sourceport", "spt", "src_port"),
    "source.nat.ip": ("natsrcipaddr", "natsourceip", "transip"),
    "source.nat.port": ("natsrcport", "natsourceport", "transport"),
    "source.mac": ("smac", "srcmac"),
    "destination.ip": ("dst", "dstip", "destinationip", "destip", "dstipaddr", "dst_ip"),
    "destination.port": ("dport", "dstport", "destinationport", "dpt", "destport", "dst_port"),
    "destination.nat.ip": ("natdstipaddr", "natdestinationip"),
    "destination.nat.port": ("natdstport", "natdestinationport"),
    "destination.mac": ("dmac", "dstmac"),
    "network.transport": ("proto", "protocol"),
    "network.application": ("app", "application", "service"),
    "observer.ingress.interface.name": ("indev", "srcintf", "rcvifname", "in"),
    "observer.egress.interface.name": ("outdev", "dstintf", "out"),
    "observer.ingress.zone": ("srczonename", "srczone", "sourcezone"),
    "observer.egress.zone": ("dstzonename", "dstzone", "destinationzone"),
    "user.name": ("user", "username", "suser"),
    "rule.id": ("policyid", "ruleid"),
    "rule.name": ("policyname", "rule", "securitypolicy", "objectpolicy"),
    "event.action": ("action", "act", "event", "op"),
    "message": ("msg",),
    "host.name": ("devname", "fw"),
    "event.code": ("logid",),
}
_NAMES: Final = {name: ecs for ecs, names in _ECS.items() for name in names}
PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp"}
ALLOWED: Final = frozenset(
    {"accept", "accepted", "allow", "allowed", "pass", "permit", "permitted"}
)
DENIED: Final = frozenset({"block", "blocked", "deny", "denied", "discard", "drop", "reject"})
_SECONDS: Final = 10


def parse_keyvalue(raw: bytes, context: Context) -> Parsed:
    """Read a bare line of pairs; its time is ``date`` and ``time``, ``time`` or ``eventtime``."""
    text = decode_line(raw, context.encoding)
    fields: dict[str, Value] = {}
    if read_pairs(text, fields) < _LEAST:
        reason = "not_keyvalue"
        raise BadLine(reason, f"less than {_LEAST} pairs")
    return Parsed(_time(fields, context), fields)


def is_device(message: str) -> bool:
    """Tell whether a syslog message is of this kind, by how it begins."""
    return _MARK.match(message) is not None or message.startswith(_BEGINNINGS)


_BEGINNINGS: Final = ("id=tos ", "id=firewall ", "date=", "devname=", "IN=", "[UFW ", "logid=")


def read_pairs(message: str, fields: dict[str, Value]) -> int:
    """Add what the pairs of ``message`` say; return how many there are."""
    mark = _MARK.match(message)
    if mark is not None:
        fields["event.provider"] = mark["module"].lower()
        fields["event.code"] = mark["brief"]
    count = 0
    for name, value in _pairs(message if mark is None else message[mark.end() :]):
        count += 1
        add_value(fields, f"kv.{name}", value)
        _ecs(name.lower(), value, fields)
    if count:
        fields.setdefault("event.category", "network")
        fields["event.module"] = "keyvalue"
        _outcome(fields)
    return count


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values from left to right; each quote is looked at once."""
    parted = _PARTED.search(text) is not None
    position, count, quotes = 0, 0, True
    name, begin = "", 0
    while (token := _TOKEN.search(text, position)) is not None:
        position = token.end()
        opened = quotes and token[2] != ""
        quoted = _QUOTED.match(text, position) if opened else None
        quotes = quotes and (not opened or quoted is not None)
        position = position if quoted is None else quoted.end()
        if token[1] is None:
            continue
        if name:
            yield name, _bare(text[begin : token.start()], parted=parted)
        name, begin = token[1], token.end()
        count += 1
        if quoted is not None:
            yield name, re.sub(r"\\(.)", r"\1", quoted[1])
            name = ""
        if count == MAX_PAIRS:
            return
    if name:
        yield name, _bare(text[begin:], parted=parted)


def _bare(text: str, *, parted: bool) -> str:
    return text.strip(" \t,;.") if parted else text.strip().partition(" ")[0].strip(",;")


def _ecs(name: str, value: str, fields: dict[str, Value]) -> None:
    ecs = _NAMES.get(name)
    if ecs is None or not value or (ecs in fields and ecs != "message"):
        return
    if ecs.endswith(".ip"):
        _address(ecs, value, fields)
    elif ecs.endswith(".port"):
        if PORT.fullmatch(value):
            fields[ecs] = value
    elif ecs == "network.transport":
        fields[ecs] = PROTOCOLS.get(value, value.lower())
    elif ecs == "event.action":
        fields[ecs] = value.lower()
    else:
        fields[ecs] = value


def _address(ecs: str, value: str, fields: dict[str, Value]) -> None:
    """Take an address, also as ``ADDRESS:PORT`` or ``ADDRESS:PORT:INTERFACE``."""
    address = canonical_address(value)
    if address is None:
        host, _, rest = value.partition(":")
        address = canonical_address(host)
        port = rest.partition(":")[0]
        if address is not None and PORT.fullmatch(port):
            fields.setdefault(ecs.replace(".ip", ".port"), port)
    if address is not None:
        fields[ecs] = address


def _outcome(fields: dict[str, Value]) -> None:
    for name in ("event.action", "rule.name"):
        word = str(fields.get(name, "")).lower()
        if word in ALLOWED:
            fields["event.outcome"] = "success"
        elif word in DENIED:
            fields["event.outcome"] = "failure"
        else:
            continue
        fields["event.action"] = word
        return


def _time(fields: dict[str, Value], context: Context) -> int:
    day, clock, zone = (str(fields.get(f"kv.{name}", "")) for name in ("date", "time", "tz"))
    if day and clock:
        return iso_time(f"{day}T{clock}{zone}", context.zone)
    if clock:
        return iso_time(clock, context.zone)
    stamp = str(fields.get("kv.eventtime", fields.get("kv.BeginTime", "")))
    if stamp.isascii() and stamp.isdigit() and len(stamp) >= _SECONDS:
        return epoch_time(f"{stamp[:_SECONDS]}.{stamp[_SECONDS:]}")
    if context.arrival is not None:
        return context.arrival
    reason = "no_time"
    raise BadLine(reason, "date and time, or time")
