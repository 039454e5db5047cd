"""The *why* table in two languages: what was asked, what was expected, what was seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from detectors.core.telling.demands import demand_of
from detectors.models.alert_page import Why
from detectors.models.alerts import Alert, Reason
from secops.kernel.catalogue import Text

_ASKED: Final = (
    ("contains ", "包含 "),
    ("starts with ", "开头是 "),
    ("ends with ", "结尾是 "),
    ("like ", "形如 "),
    ("matches ", "符合正则 "),
    ("in ", "属于网段 "),
    ("= field ", "等于字段 "),
    ("= ", "等于 "),
)
_WHOLE: Final = {"present": "有该字段", "absent": "无该字段"}
_MEASURES: Final[Mapping[str, Text]] = {
    "event_count": Text("事件数", "number of events"),
    "value_count": Text("不同取值数", "number of different values"),
    "temporal": Text("同一时段内出现", "seen within one time"),
    "temporal_ordered": Text("依次出现", "seen in this order"),
    "value_sum": Text("数值之和", "sum"),
    "value_avg": Text("平均值", "mean"),
    "value_percentile": Text("百分位数", "percentile"),
    "value_median": Text("中位数", "median"),
    "absence": Text("应有的事件", "events that were due"),
    "first_seen": Text("首次出现的取值", "value never seen before"),
}
FEATURES: Final[Mapping[str, Text]] = {
    "source": Text("来源", "source"),
    "agent": Text("浏览器", "browser"),
    "device": Text("设备", "device"),
    "pace": Text("换网速度", "pace of moving"),
    "failures": Text("此前失败次数", "failures before"),
    "idle": Text("距上次登录", "time since the last sign-in"),
    "factor": Text("登录方式", "factor"),
    "hour": Text("时段", "hour"),
    "peers": Text("同岗人员", "peers"),
}
"""What a sign-in is judged by, in people's words."""
LEVEL_NAMES: Final[Mapping[str, Text]] = {
    "country": Text("国家或地区", "country"),
    "system": Text("运营商网络", "network operator"),
    "network": Text("网段", "network"),
    "address": Text("地址", "address"),
    "device_class": Text("设备类型", "kind of device"),
    "browser": Text("浏览器", "browser"),
    "user_agent": Text("完整标识", "whole name"),
}
USES: Final[Mapping[str, Text]] = {
    "key_use": Text("使用密钥", "uses of keys"),
    "seal_use": Text("用印", "uses of seals"),
    "export": Text("导出", "exports"),
}
_BASIS: Final[Mapping[str, str]] = {
    "own hour of the week": "本人每周此时",
    "own work hours": "本人工作时段",
    "own quiet hours": "本人非工作时段",
    "peers' work hours": "同岗人员工作时段",
    "peers' quiet hours": "同岗人员非工作时段",
    "never in own work hours": "本人工作时段从未有过",
    "never in own quiet hours": "本人非工作时段从未有过",
}
_KNOWN: Final = re.compile(r"seen (\S+) times")
_LIKELIER: Final = re.compile(r"e\^(\S+) times likelier")
_OWN: Final = re.compile(r"one of (\d+) used before")
_PEERS: Final = re.compile(r"one of (\d+) used by peers")
_HOURLY: Final = re.compile(r"(\S+) an hour \((.*)\)", re.DOTALL)
_ROBUST: Final = re.compile(r"(\S+) \(MAD (\S+), (\d+) weeks\)")


def why_of(alert: Alert) -> tuple[Why, ...]:
    """Return the rows of the *why* table; what is not understood stands as it was written."""
    if alert.kind == "correlation":
        return tuple(_counted(alert, place, each) for place, each in enumerate(alert.reasons))
    if alert.kind == "anomaly":
        return tuple(_judged(each) for each in alert.reasons)
    return tuple(asked_of(each) for each in alert.reasons)


def asked_of(reason: Reason) -> Why:
    """Return the row of a rule's question."""
    return Why(_same(reason.condition), asked(reason.expected), _same(reason.seen))


def asked(expected: str) -> Text:
    """Return what a rule asks of a field (``starts with /admin``) in both languages."""
    if expected in _WHOLE:
        return Text(_WHOLE[expected], expected)
    for en, zh in _ASKED:
        if expected.startswith(en):
            return Text(zh + expected.removeprefix(en), expected)
    return _same(expected)


def feature_name(condition: str) -> Text:
    """Return ``source.country`` in people's words."""
    feature, _, level = condition.partition(".")
    name = FEATURES.get(feature, _same(feature))
    if level in ("", feature) or level not in LEVEL_NAMES:
        return name
    fine = LEVEL_NAMES[level]
    return Text(f"{name.zh}({fine.zh})", f"{name.en} ({fine.en})")


def likelier(seen: str) -> float | None:
    """Return how many nats a weight says a value is likelier among others; None for others."""
    found = _LIKELIER.fullmatch(seen)
    if found is None:
        return None
    try:
        return float(found[1])
    except ValueError:
        return None


def _counted(alert: Alert, place: int, reason: Reason) -> Why:
    if place == 0:
        return _demanded(alert, reason)
    if reason.expected == "group-by":
        return Why(_same(reason.condition), Text("分组依据", "grouped by"), _same(reason.seen))
    if reason.condition == "rule":
        return Why(Text("被统计的规则", "rule that is counted"), _same(reason.expected), _same(""))
    return asked_of(reason)


def _demanded(alert: Alert, reason: Reason) -> Why:
    name = _MEASURES.get(reason.condition, _same(reason.condition))
    demand = demand_of(alert)
    if demand is None:
        return Why(name, _same(reason.expected), _same(reason.seen))
    if demand.kind == "first_seen":
        known = Text(f"{demand.window.zh}内见过", f"seen within {demand.window.en}")
        name = Text(f"{name.zh}:{demand.fields}", f"{name.en}: {demand.fields}")
        return Why(name, known, _same(demand.measured))
    if demand.fields:
        name = Text(f"{name.zh}:{demand.fields}", f"{name.en}: {demand.fields}")
    window, within = demand.window, demand.within
    return Why(
        name,
        Text(f"{window.zh}内 {demand.bound}", f"{demand.bound} within {window.en}"),
        Text(f"{within.zh}内 {demand.measured}", f"{demand.measured} within {within.en}"),
    )


def _judged(reason: Reason) -> Why:
    expected, seen = reason.expected, reason.seen
    if reason.condition == "risk":
        return Why(Text("风险排位", "rank of risk"), _same(expected), _same(seen))
    if reason.condition == "z":
        return Why(Text("偏离程度(z)", "deviation (z)"), _same(expected), _robust(seen))
    if (nats := likelier(seen)) is not None and (known := _KNOWN.fullmatch(expected)):
        return Why(feature_name(reason.condition), _known(known[1]), _weight(nats))
    if reason.condition == "peers" and (peers := _PEERS.fullmatch(expected)):
        asked_for = Text(f"同岗人员用过的 {peers[1]} 个之一", expected)
        return Why(FEATURES["peers"], asked_for, Text("从未用过", seen))
    name = USES.get(reason.condition, _same(reason.condition))
    return Why(name, _usual(expected), _same(seen))


def _usual(expected: str) -> Text:
    if own := _OWN.fullmatch(expected):
        return Text(f"本人用过的 {own[1]} 个之一", expected)
    if hourly := _HOURLY.fullmatch(expected):
        basis = _BASIS.get(hourly[2], hourly[2])
        return Text(f"每小时 {hourly[1]} 次({basis})", expected)
    return _same(expected)


def _known(times: str) -> Text:
    return Text(f"此前见过 {times} 次", f"seen {times} times before")


def _weight(nats: float) -> Text:
    sign = "+" if nats >= 0 else "−"
    size = f"{abs(nats):.1f}"
    return Text(
        f"{sign}{size}(自然对数:他人出现此值的可能是本人的 e^{nats:.1f} 倍)",
        f"{sign}{size} (nats: e^{nats:.1f} times likelier among others)",
    )


def _robust(seen: str) -> Text:
    found = _ROBUST.fullmatch(seen)
    if found is None:
        return _same(seen)
    return Text(f"{found[1]}(绝对中位差 {found[2]},{found[3]} 周历史)", seen)


def _same(text: str) -> Text:
    return Text(text, text)
