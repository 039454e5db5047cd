"""A run's journal as people read it, and the words its results may take.

Values of variables stay in the journal: a line tells their names only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from playbooks.models import JournalEntry, Plan
from playbooks.models.views import RunView
from secops.console.texts import N_

STEP_STATES: Final = {
    "ready": N_("未执行"),
    "intent": N_("进行中"),
    "done": N_("完成"),
    "failed": N_("失败"),
    "unknown": N_("结果未知"),
    "compensated": N_("已撤销"),
}
_KINDS: Final = {
    "intent": N_("意图"),
    "outcome": N_("结果"),
    "decision": N_("决定"),
    "prolong": N_("延长有效期"),
    "cancel": N_("停止"),
}
_TOLD: Final = {
    "choice": N_("分支"),
    "error": N_("原因"),
    "late": N_("迟到的结果"),
    "recovered": N_("恢复方式"),
    "answered_by": N_("作答人"),
    "decided_by": N_("审批人"),
    "by": N_("操作人"),
    "sha256": N_("摘要"),
    "http_status": N_("状态码"),
    "milliseconds": N_("毫秒"),
}
"""Details that every reader may see."""
_COMPARED: Final = re.compile(r"(__[A-Za-z0-9_-]+__):value\s*!?=\s*'([^'\\]*)'")
_SWITCHED: Final = re.compile(r"\A(__[A-Za-z0-9_-]+__):value\Z")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal, in our words."""

    seq: int
    at: int
    name: str
    loop: str
    kind: str
    state: str
    told: tuple[tuple[str, str], ...]


def lines_of(view: RunView) -> tuple[Line, ...]:
    """Return the journal's lines."""
    names = {step.path: step.name for step in view.run.plan.steps}
    return tuple(_line(entry, names) for entry in view.journal)


def _line(entry: JournalEntry, names: Mapping[str, str]) -> Line:
    return Line(
        entry.seq,
        entry.at,
        names.get(entry.path, "—"),
        entry.loop,
        _KINDS.get(entry.kind, entry.kind),
        STEP_STATES.get(entry.state, "—"),
        tuple(_told(entry)),
    )


def _told(entry: JournalEntry) -> Iterator[tuple[str, str]]:
    details = entry.details
    for key, word in _TOLD.items():
        if key in details:
            yield word, str(details[key])
    for name in details.get("set", ()):
        yield N_("变量"), f"{name} ••••"
    if "targets" in details:
        yield N_("对象数"), str(len(details["targets"]))


def choices_of(plan: Plan) -> dict[str, list[str]]:
    """Return the words that the plan's branches compare each variable with."""
    found: dict[str, list[str]] = {}
    for step in plan.steps:
        switched = _SWITCHED.match(step.condition)
        words = list(_COMPARED.findall(step.condition))
        if step.kind == "switch" and switched:
            words = [(switched[1], case) for case in step.branches if case != "default"]
        for name, word in words:
            known = found.setdefault(name, [])
            if word not in known:
                known.append(word)
    return found
