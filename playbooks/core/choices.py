"""Which way a branching step goes, and the values of variables while a run goes on.

Values are the plan's, changed by what outcomes and decisions in the journal set, in order:
whoever reads the journal up to an entry knows what was known then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from playbooks.core.stix21 import ConditionInvalid, holds, read_condition
from playbooks.core.variables import MAX_VALUE, substitute
from playbooks.errors import VariableMissing
from playbooks.models import JournalEntry, Plan, PlannedStep
from secops.kernel.clock import MILLISECOND

MAX_TURNS: Final = 100

Scopes = Mapping[str, Mapping[str, str | None]]
"""Values of variables by frame."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The branch taken, or the ``error`` that lets the step fail; ``values`` set in ``frame``."""

    branch: str = ""
    error: str = ""
    frame: str = ""
    values: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def details(self) -> dict[str, Any]:
        """Return what the journal keeps of it."""
        if self.error:
            return {"error": self.error}
        assigned = {"frame": self.frame, "set": dict(self.values)} if self.values else {}
        return {"choice": self.branch, **assigned}


def run_values(plan: Plan, entries: Sequence[JournalEntry]) -> Scopes:
    """Return the values of all frames after ``entries``."""
    scopes = {frame: dict(values) for frame, values in plan.scopes.items()}
    for entry in entries:
        if "set" in entry.details:
            scopes.setdefault(str(entry.details["frame"]), {}).update(entry.details["set"])
    return scopes


def seen_by(step: PlannedStep, scopes: Scopes) -> dict[str, str | None]:
    """Return what ``step`` sees: its frame's values, and its own before them."""
    return {**scopes.get(step.frame, {}), **step.local}


def assigned(step: PlannedStep, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the details of an outcome that sets ``values``, cut to what a variable holds."""
    kept = {name: text[:MAX_VALUE] for name, text in values.items() if name not in step.local}
    return {"frame": step.frame, "set": kept} if kept else {}


def choose(
    step: PlannedStep, place: tuple[str, int], known: tuple[Scopes, Scopes], *, since: int, now: int
) -> Choice:
    """Return the choice of ``step`` at ``place`` = (loop, index).

    ``known`` are the values at the start of the run, and those of now.

    ``since`` is when the step began. A loop has 100 turns and, with a timeout, a time; what
    can't be decided is a failure, never a branch taken by accident.
    """
    loop, index = place
    first, scopes = known
    values = seen_by(step, scopes)
    if step.kind == "playbook":
        return _enter(step, values, first) if index == 0 else _leave(step, scopes)
    if step.kind == "while":
        if int(loop.rpartition(".")[2]) > MAX_TURNS:
            return Choice(error="too_many_turns")
        if step.timeout_ms and now > since + step.timeout_ms * MILLISECOND:
            return Choice(error="timeout")
    return _switch(step, values) if step.kind == "switch" else _condition(step, values)


def _condition(step: PlannedStep, values: Mapping[str, str | None]) -> Choice:
    try:
        return Choice("true" if holds(read_condition(step.condition), values) else "false")
    except ConditionInvalid:
        return Choice(error="condition_undecidable")


def _switch(step: PlannedStep, values: Mapping[str, str | None]) -> Choice:
    try:
        value = substitute(step.condition, values, {})
    except VariableMissing:
        return Choice(error="variable_missing")
    if value in step.branches:
        return Choice(value)
    return Choice("default") if "default" in step.branches else Choice(error="no_case")


def _enter(step: PlannedStep, values: Mapping[str, str | None], first: Scopes) -> Choice:
    """Set the inner variables: as the plan has them, with what is passed in before them."""
    passed = {name: values[name] for name in step.in_args if values[name] is not None}
    frame = f"{step.path}/"
    return Choice("body", frame=frame, values={**first.get(frame, {}), **passed})


def _leave(step: PlannedStep, scopes: Scopes) -> Choice:
    inner = scopes.get(f"{step.path}/", {})
    taken = {name: inner.get(name) for name in step.out_args if name not in step.local}
    if any(value is None for value in taken.values()):
        return Choice(error="output_missing")
    return Choice("left", frame=step.frame, values=taken)
