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
from playbooks.models.options import OperatorKind
from secops.kernel.clock import MINUTE
from secops.kernel.errors import Invalid

LEVELS: Final = ("especially_major", "major", "considerable", "ordinary")
"""Levels of the reporting rule, gravest first."""


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
    rule: Mapping[str, Any], operator: OperatorKind, incident: Incident, now: int
) -> tuple[Clock, ...]:
    """Return the deadlines of ``incident`` that run for ``operator``, the timed ones first.

    "以上" and "以内" include the number: a clock is overdue after its last microsecond.
    """
    if not is_reportable(incident.reporting_level):
        return ()
    starts = {"discovered": incident.discovered_at, "handled": incident.handled_at}
    source = rule["rule"]["zh"]
    clocks = []
    for entry in rule["clocks"]:
        start = starts[entry["from"]]
        if operator in entry["operators"] and start is not None:
            due = start + entry["minutes"] * MINUTE
            text = f"{source} {entry['article']}"
            clocks.append(Clock(entry["name"], tuple(entry["to"]), due, text, overdue=now > due))
    clocks += [Clock(e["name"], (e["zh"],), None, e["article"]) for e in rule["untimed"]]
    return tuple(clocks)


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
