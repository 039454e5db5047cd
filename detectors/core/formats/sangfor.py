"""Sangfor's firewall (AF, NGAF): ``日志类型:…, 用户:…, 源IP:…`` or the same in English.

The device sends it by syslog as the program ``fwlog`` (NAT as ``nat``). Pairs are parted by a
comma and a blank, name and value by the first colon; a value may hold both, so a pair begins only
where a known kind of name does. Every pair is kept as ``kv.NAME``; ``(null)`` and ``-`` are no
values. Shapes: AF 7 and 8 as devices' owners publish them; the maker documents which logs there
are, not their text. Newer versions can send CEF, which ``cef`` reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from detectors.core.events.text import add_value, canonical_address
from detectors.core.formats.keyvalue import ALLOWED, DENIED, MAX_PAIRS, PORT, PROTOCOLS
from secops.kernel.logs import Value

_BEGIN: Final = re.compile(r"(?:日志类型|log type) ?[:\uff1a]", re.IGNORECASE)
_PAIR: Final = re.compile(r"(?:^|, )([^\W\d_][^,:=\uff1a]{0,31})[:\uff1a]")
_ECS: Final = {
    "source.ip": ("源ip", "src ip", "ip地址", "ip address", "用户名/主机", "username/host"),
    "source.port": ("源端口", "src port"),
    "destination.ip": ("目的ip", "dst ip"),
    "destination.port": ("目的端口", "dst port"),
    "network.transport": ("协议", "protocol"),
    "network.application": ("应用名称", "app name", "application", "应用类型", "app category"),
    "user.name": ("用户", "user"),
    "rule.name": ("策略名称", "policy name"),
    "rule.id": ("规则id", "rule id"),
    "rule.category": ("攻击类型", "attack type"),
    "rule.description": ("漏洞名称", "vulnerability name"),
    "event.action": ("系统动作", "动作", "操作对象", "action"),
    "event.provider": ("日志类型", "log type"),
    "log.level": ("严重级别", "严重等级", "threat level", "severity"),
    "url.original": ("url",),
}
_ALLOWED: Final = ALLOWED | {"允许", "通过", "放行"}
_DENIED: Final = DENIED | {"拒绝", "阻断", "丢弃"}
_RECORDED: Final = frozenset({"被记录", "记录", "log", "logged", "record", "alert"})
_LEVELS: Final = {"高": "high", "中": "medium", "低": "low", "致命": "critical"}
_NAT: Final = {"snat": "source", "dnat": "destination"}
_NAT_KIND: Final = ("nat类型", "nat type")
_NAT_IP: Final = ("转换后的ip", "translated ip")
_NAT_PORT: Final = ("转换后的端口", "translated port")
_NOTHING: Final = frozenset({"", "-", "(null)", "null"})


def is_sangfor(message: str) -> bool:
    """Tell whether a syslog message is of this kind."""
    return _BEGIN.match(message) is not None


def read_sangfor(message: str, fields: dict[str, Value]) -> None:
    """Add what the pairs of ``message`` say."""
    fields["event.module"] = "sangfor"
    fields["event.category"] = "network"
    plain: dict[str, str] = {}
    for name, value in _pairs(message):
        if value in _NOTHING:
            continue
        add_value(fields, f"kv.{name}", value)
        plain.setdefault(name.lower(), value)
    for ecs, names in _ECS.items():
        for name in names:
            if name in plain and ecs not in fields:
                _set(ecs, plain[name], fields)
    _translated(plain, fields)
    _outcome(fields)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    found = [each for each, _ in zip(_PAIR.finditer(text), range(MAX_PAIRS), strict=False)]
    for number, each in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        yield each[1].strip(), text[each.end() : end].strip()


def _set(ecs: str, value: str, fields: dict[str, Value]) -> None:
    if ecs.endswith(".ip"):
        address = canonical_address(value)
        if address is not None:
            fields[ecs] = address
    elif ecs.endswith(".port"):
        if PORT.fullmatch(value):
            fields[ecs] = value
    elif ecs == "network.transport":
        fields[ecs] = PROTOCOLS.get(value, value.lower())
    elif ecs == "log.level":
        fields[ecs] = _LEVELS.get(value, value.lower())
    else:
        fields[ecs] = value


def _translated(plain: dict[str, str], fields: dict[str, Value]) -> None:
    """Name what an address was translated to, on the side that was."""
    kind = next((plain[name] for name in _NAT_KIND if name in plain), "").lower()
    side = _NAT.get(kind)
    if side is None:
        return
    for names, part in ((_NAT_IP, "ip"), (_NAT_PORT, "port")):
        value = next((plain[name] for name in names if name in plain), None)
        if value is not None:
            _set(f"{side}.nat.{part}", value, fields)


def _outcome(fields: dict[str, Value]) -> None:
    """Say what the firewall did in the words of other makers; recording decides nothing."""
    word = str(fields.get("event.action", "")).lower()
    if word in _ALLOWED:
        fields["event.action"], fields["event.outcome"] = "allow", "success"
    elif word in _DENIED:
        fields["event.action"], fields["event.outcome"] = "deny", "failure"
    elif word in _RECORDED:
        fields["event.action"] = "record"
