"""An alert as one sentence: who did what, from where, how often, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from detectors.core.telling.demands import Demand, demand_of
from detectors.core.telling.reasons import USES, feature_name, likelier
from detectors.models.alerts import Alert, AlertKind, Reason
from secops.kernel.catalogue import Text
from secops.kernel.clock import BEIJING, SECOND, to_rfc3339

_MOST: Final = 3
_LONG: Final = 80
_PEOPLE: Final = ("user.name", "user.id")
_SUBJECTS: Final[tuple[tuple[str, str, str], ...]] = (
    ("source.ip", "从 {} ", "from {}"),
    ("client.id", "通过应用 {} ", "through application {}"),
    ("session.id", "在会话 {} 中", "in session {}"),
    ("host.name", "在主机 {} 上", "on host {}"),
    ("user.target.name", "针对账户 {} ", "against account {}"),
)
_VAGUE: Final = frozenset(
    {
        "EventID",
        "event.action",
        "event.category",
        "event.dataset",
        "event.module",
        "event.outcome",
        "event.type",
        "process.name",
    }
)
"""Fields that say what kind of event it is; what else was seen tells more."""
_ORDERED: Final[Mapping[str, Text]] = {
    "temporal": Text("都出现了", "were all seen"),
    "temporal_ordered": Text("依次出现", "were seen one behind the other"),
}
_NUMBERS: Final[Mapping[str, Text]] = {
    "value_sum": Text("之和", "the sum of"),
    "value_avg": Text("的平均值", "the mean of"),
    "value_percentile": Text("的百分位数", "the percentile of"),
    "value_median": Text("的中位数", "the median of"),
}


def sentence_of(alert: Alert) -> Text:
    """Return the sentence; what is not understood of an alert's reasons is left out of it."""
    return _TELLERS.get(alert.kind, _plain)(alert)


def title_of(alert: Alert) -> Text:
    """Return the alert's title in both languages, as far as its rule has them."""
    zh, divided, en = alert.title.partition(" / ")
    known = Text(zh, en) if divided and alert.kind in ("anomaly", "health", "control") else None
    return Text(
        alert.custom.get("title_zh") or (known.zh if known else alert.title),
        alert.custom.get("title_en") or (known.en if known else alert.title),
    )


def _plain(alert: Alert) -> Text:
    title, who, when = title_of(alert), _who(alert), _when(alert)
    seen = _seen(alert)
    count = alert.event_count
    return Text(
        f"{who.zh}{when.zh} {count} 次触发「{title.zh}」{_tail(':', seen, ';')}。",
        _begun(
            f"{who.en} set off “{title.en}” {_times(str(count))} {when.en}"
            f"{_tail(': ', seen, '; ')}."
        ),
    )


def _counted(alert: Alert) -> Text:
    demand = demand_of(alert)
    if demand is None:
        return _plain(alert)
    title, who, when = title_of(alert), _who(alert), _when(alert)
    what = _measured(alert, demand)
    return Text(
        f"{who.zh}{when.zh},{what.zh}:「{title.zh}」。",
        _begun(f"{who.en}, {when.en}: {what.en}, hence “{title.en}”."),
    )


def _measured(alert: Alert, demand: Demand) -> Text:
    zh, en = _rules(alert)
    window, within, bound, got = demand.window, demand.within, demand.bound, demand.measured
    asked = Text(f"(规则要求 {window.zh}内 {bound})", f" (asked: {bound} in {window.en})")
    if demand.kind == "absence":
        return Text(f"{window.zh}内没有出现{zh}", f"{en} was not seen for {window.en}")
    if demand.kind == "first_seen":
        return Text(
            f"{zh}的 {demand.fields} 首次出现 {got}({window.zh}内未见过)",
            f"{demand.fields} of {en} was {got}, not seen within {window.en} before",
        )
    if demand.kind in _ORDERED:
        how = _ORDERED[demand.kind]
        return Text(f"{within.zh}内{zh}{how.zh}", f"within {within.en} {en} {how.en}")
    if demand.kind in _NUMBERS:
        name = _NUMBERS[demand.kind]
        return Text(
            f"{within.zh}内{zh}的 {demand.fields} {name.zh}为 {got}{asked.zh}",
            f"within {within.en} {name.en} {demand.fields} in {en} was {got}{asked.en}",
        )
    if demand.kind == "value_count":
        return Text(
            f"{within.zh}内{zh}涉及 {got} 个不同的 {demand.fields}{asked.zh}",
            f"within {within.en} {en} had {got} different {demand.fields}{asked.en}",
        )
    return Text(
        f"{within.zh}内 {got} 次{zh}{asked.zh}", f"{en} {_times(got)} within {within.en}{asked.en}"
    )


def _judged(alert: Alert) -> Text:
    teller = _ANOMALIES.get(alert.rule_id)
    return _plain(alert) if teller is None or not alert.reasons else teller(alert)


def _login(alert: Alert) -> Text:
    who, when, risk = _who(alert), _when(alert), alert.reasons[0]
    heavy = [each for each in alert.reasons[1:] if (likelier(each.seen) or 0) > 0][:_MOST]
    names = [feature_name(each.condition) for each in heavy]
    line = risk.expected.removeprefix("< ")
    return Text(
        f"{who.zh}{when.zh}登录,比过往 {risk.seen} 的登录更反常(告警线 {line})"
        f"{_tail(',主要因为', [each.zh for each in names], '、')}。",
        _begun(
            f"{who.en} signed in {when.en}, less usual than {risk.seen} of earlier sign-ins "
            f"(alerts begin at {line}){_tail(', chiefly for ', [e.en for e in names], ', ')}."
        ),
    )


def _volume(alert: Alert) -> Text:
    who, when, use = _who(alert), _when(alert), alert.reasons[0]
    name = USES.get(use.condition, Text(use.condition, use.condition))
    usual = use.expected.partition(" ")[0]
    return Text(
        f"{who.zh}{when.zh}一小时内{name.zh} {use.seen} 次,平常约 {usual} 次。",
        _begun(f"{who.en} had {use.seen} {name.en} within an hour {when.en}; {usual} are usual."),
    )


def _first_use(alert: Alert) -> Text:
    who, when, use = _who(alert), _when(alert), alert.reasons[0]
    name = USES.get(use.condition, Text(use.condition, use.condition))
    return Text(
        f"{who.zh}{when.zh}首次{name.zh}:{use.seen}。",
        _begun(f"{who.en} for the first time had {name.en} of {use.seen} {when.en}."),
    )


def _health(alert: Alert) -> Text:
    title, when = title_of(alert), _when(alert)
    said = [f"{each.condition} {each.seen}" for each in alert.reasons[:_MOST]]
    said = [_short(each) for each in said]
    return Text(
        f"{title.zh}({when.zh.removeprefix('于 ')}起){_tail(':', said, ';')}。",
        _begun(f"{title.en}, {when.en}{_tail(': ', said, '; ')}."),
    )


def _who(alert: Alert) -> Text:
    subjects = alert.subjects
    person = next((subjects[name] for name in _PEOPLE if name in subjects), None)
    zh = ["有人" if person is None else f"账户 {_short(person)} "]
    en = ["somebody" if person is None else f"account {_short(person)}"]
    for name, chinese, english in _SUBJECTS:
        if name in subjects:
            zh.append(chinese.format(_short(subjects[name])))
            en.append(english.format(_short(subjects[name])))
    return Text("".join(zh), " ".join(en))


def _when(alert: Alert) -> Text:
    first, last = _local(alert.first_at), _local(alert.last_at)
    if first == last:
        return Text(f"于 {first}", f"at {first} (Beijing time)")
    later = last[11:] if first[:10] == last[:10] else last
    return Text(f"于 {first} 至 {later}", f"between {first} and {later} (Beijing time)")


def _local(at: int) -> str:
    return to_rfc3339((at + BEIJING) // SECOND * SECOND)[:19].replace("T", " ")


def _seen(alert: Alert) -> list[str]:
    """Return what was seen and is not said as a subject."""
    said = set(alert.subjects.values())
    rows = [each for each in alert.reasons if each.seen and each.seen not in said]
    telling = [each for each in rows if each.condition not in _VAGUE]
    return [_pair(each) for each in (telling or rows)[:_MOST]]


def _pair(reason: Reason) -> str:
    return f"{_short(reason.condition)} = {_short(reason.seen)}"


def _rules(alert: Alert) -> tuple[str, str]:
    titles = [_short(each.expected) for each in alert.reasons if each.condition == "rule"]
    shown = titles[:_MOST] or [alert.title]
    return "".join(f"「{each}」" for each in shown), ", ".join(f"“{each}”" for each in shown)


def _tail(before: str, parts: list[str], between: str) -> str:
    return before + between.join(parts) if parts else ""


def _times(count: str) -> str:
    return "once" if count == "1" else f"{count} times"


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]


_TELLERS: Final[Mapping[AlertKind, Callable[[Alert], Text]]] = {
    "correlation": _counted,
    "anomaly": _judged,
    "health": _health,
    "control": _health,
}
_ANOMALIES: Final[Mapping[str, Callable[[Alert], Text]]] = {
    "anomaly.login": _login,
    "anomaly.volume": _volume,
    "anomaly.first_use": _first_use,
}
