"""Statutory clocks (《国家网络安全事件报告管理办法》) from data, and its level aid.

The limit hangs on who runs the system, not on how grave the incident is; clocks run from
discovery and never pause. Figures still marked ``draft`` are shown as such: a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from playbooks.models import Clock, Incident
from playbooks.models.filings import Filing
from playbooks.models.options import OperatorKind
from secops.kernel.catalogue import Text
from secops.kernel.clock import HOUR, MINUTE
from secops.kernel.errors import Invalid

LEVELS: Final = ("especially_major", "major", "considerable", "ordinary")
"""Levels of the reporting rule, gravest first."""
WARN_DAYS: Final = 30
_HOURS_OF_A_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Threshold:
    """``metric`` of at least this much makes the incident at least of ``level``."""

    level: str
    metric: str
    at_least: Decimal
    status: str


@dataclass(frozen=True, slots=True)
class LevelProposal:
    """The gravest level that a figure reaches, and which ones do; ``draft`` asks a person."""

    level: str
    reached: tuple[Threshold, ...]
    draft: bool


def is_reportable(level: str) -> bool:
    """Tell whether the rule wants a report; an unset level counts, until a person judged."""
    return level != "ordinary"


def clocks_of(
    rule: Mapping[str, Any],
    operator: OperatorKind,
    incident: Incident,
    now: int,
    *,
    filings: Mapping[str, Filing],
) -> tuple[Clock, ...]:
    """Return the deadlines of ``incident`` that run for ``operator``, the timed ones first.

    "以上" and "以内" include the number: a clock is overdue after its last microsecond. A
    filing (by duty) stops its clock. A false alarm, closed from triage, owes nothing.
    """
    if incident.state == "closed" and incident.handled_at is None:
        return ()
    starts = {"discovered": incident.discovered_at, "handled": incident.handled_at}
    starts |= {duty: filing.filed_at for duty, filing in filings.items()}
    reportable = is_reportable(incident.reporting_level)
    clocks = []
    for entry in rule["clocks"]:
        start = starts.get(entry["from"])
        if start is not None and _applies(entry, operator, incident, filings):
            due = start + entry["minutes"] * MINUTE
            clocks.append(_clock(rule, entry, due, now, filings=filings))
    for entry in rule["untimed"] if reportable else ():
        done = _filed_at(filings, entry["name"])
        clocks.append(Clock(entry["name"], (entry["zh"],), None, entry["article"], filed_at=done))
    return tuple(clocks)


def _applies(
    entry: Mapping[str, Any],
    operator: OperatorKind,
    incident: Incident,
    filings: Mapping[str, Filing],
) -> bool:
    """Tell whether a timed duty is owed: by declaration, or by operator and level."""
    if entry.get("declared"):
        return entry["name"] in filings
    level = incident.reporting_level
    return (
        is_reportable(level)
        and operator in entry["operators"]
        and ("levels" not in entry or level in entry["levels"])
    )


def _clock(
    rule: Mapping[str, Any],
    entry: Mapping[str, Any],
    due: int,
    now: int,
    *,
    filings: Mapping[str, Filing],
) -> Clock:
    filed = _filed_at(filings, entry["name"])
    source, by = entry.get("source", rule["rule"]["zh"]), entry.get("by", "")
    return Clock(
        name=entry["name"],
        to=tuple(entry["to"]),
        due_at=due,
        source=f"{source} {entry['article']}",
        overdue=filed is None and now > due and not by,
        filed_at=filed,
        late=filed is not None and filed > due,
        by=by,
    )


def _filed_at(filings: Mapping[str, Filing], name: str) -> int | None:
    return filings[name].filed_at if name in filings else None


def warning_of(clock: Clock, now: int) -> tuple[str, Text] | None:
    """Return the stage of warning that ``clock`` is in, and its words; None for none.

    One hour before the end, at the end, then every hour of the first day and every day of
    the first 30: each stage once, and a stage that was slept through is not made up for.
    What another authority owes is shown and not warned of.
    """
    if clock.due_at is None or clock.filed_at is not None or clock.by:
        return None
    if now <= clock.due_at - HOUR:
        return None
    if now < clock.due_at:
        return "before", Text("即将到期", "ends within the hour")
    return _after((now - clock.due_at) // HOUR)


def _after(hours: int) -> tuple[str, Text] | None:
    if hours == 0:
        return "at", Text("已到时限", "has ended")
    if hours < _HOURS_OF_A_DAY:
        return f"after-{hours}h", Text(f"已超时 {hours} 小时", f"is {hours} h overdue")
    days = hours // _HOURS_OF_A_DAY
    if days > WARN_DAYS:
        return None
    return f"after-{days}d", Text(f"已超时 {days} 天", f"is {days} d overdue")


def propose_reporting_level(rule: Mapping[str, Any], figures: Mapping[str, str]) -> LevelProposal:
    """Return the level that ``figures`` (metric → number) give; raise ``Invalid``."""
    numbers = {name: _number(rule, name, text) for name, text in figures.items()}
    thresholds = [
        Threshold(t["level"], t["metric"], Decimal(t["at_least"]), t["status"])
        for t in rule["thresholds"]
    ]
    reached = [t for t in thresholds if t.metric in numbers and numbers[t.metric] >= t.at_least]
    if not reached:
        return LevelProposal(LEVELS[-1], (), draft=False)
    level = min((t.level for t in reached), key=LEVELS.index)
    decisive = tuple(t for t in reached if t.level == level)
    return LevelProposal(level, decisive, draft=all(t.status == "draft" for t in decisive))


def _number(rule: Mapping[str, Any], name: str, text: str) -> Decimal:
    if name not in rule["metrics"]:
        msg = f"{name!r} is not one of {', '.join(rule['metrics'])}"
        raise Invalid(msg)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        msg = f"{name} is a number"
        raise Invalid(msg) from error
    if not number.is_finite() or number < 0:
        msg = f"{name} is a number from 0"
        raise Invalid(msg)
    return number
