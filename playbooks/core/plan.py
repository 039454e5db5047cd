"""From a checked playbook to the flat list of steps that somebody approves.

``compile_steps`` follows the workflow from its start. Nested playbooks are put in place.
A step leads to another step's path, to ``end:done`` or to ``end:failed``; the way after a
failure without an ``on_failure`` is ``workflow_exception``, whose steps are marked ``!``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from playbooks.core.cacao20.profile import extension_of, secops_commands
from playbooks.core.cacao20.vocabulary import RESTRICTING_ACTIONS
from playbooks.core.variables import Scope, playbook_scope, step_scope, substitute
from playbooks.errors import NotYetRunnable, PlaybookNotFound
from playbooks.models import CheckedPlaybook, Plan, PlannedStep
from secops.crypto.hashes import sm3
from secops.kernel.canonical import canonical
from secops.kernel.errors import TooLarge

DONE: Final = "end:done"
FAILED: Final = "end:failed"
MAX_STEPS: Final = 100
MAX_NESTING: Final = 5
POLICY: Final = "approval-1"
"""Version of the rules below that decide who approves what; part of every plan's hash."""


@dataclass(slots=True)
class _Frame:
    """One playbook being compiled: where it stands and where it leads."""

    playbook: CheckedPlaybook
    prefix: str
    scope: Scope
    done: str
    failed: str
    nesting: tuple[str, ...]

    def step(self, name: str) -> Mapping[str, Any]:
        step: Mapping[str, Any] = self.playbook.document["workflow"][name]
        return step


@dataclass(slots=True)
class Compiled:
    """Steps by path (targets still empty), the first one, and the variables used."""

    first: str = DONE
    steps: dict[str, PlannedStep] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    expires_s: int = 0
    blast: dict[str, int] = field(default_factory=dict)


def compile_steps(
    playbook: CheckedPlaybook,
    given: Mapping[str, str],
    others: Mapping[str, CheckedPlaybook],
) -> Compiled:
    """Return the flat steps of ``playbook``; ``others`` are playbooks by id.

    Raises ``NotYetRunnable``, ``VariableMissing``, ``PlaybookNotFound`` or ``TooLarge``.
    """
    _require_runnable(playbook)
    compiled = Compiled()
    scope = playbook_scope(playbook.document, given)
    frame = _Frame(playbook, "", scope, DONE, FAILED, (playbook.id,))
    compiled.first = _Compiler(compiled, others).enter(
        frame, playbook.document["workflow_start"], failing=False
    )
    compiled.steps = _in_reading_order(compiled)
    return compiled


def _in_reading_order(compiled: Compiled) -> dict[str, PlannedStep]:
    """Return the steps as they run when all goes well, then those after failures."""
    ordered: dict[str, PlannedStep] = {}
    waiting = [compiled.first]
    while waiting:
        path = waiting.pop()
        if path in compiled.steps and path not in ordered:
            step = compiled.steps[path]
            ordered[path] = step
            waiting += [step.on_failure, step.on_success]  # the last one is looked at first
    return ordered


def _require_runnable(playbook: CheckedPlaybook) -> None:
    for problem in playbook.warnings:
        if problem.code == "not_yet":
            msg = f"{problem.place}: {problem.detail} is checked, but not yet run"
            raise NotYetRunnable(msg, place=problem.place)


class _Compiler:
    def __init__(self, compiled: Compiled, others: Mapping[str, CheckedPlaybook]) -> None:
        self._compiled = compiled
        self._others = others

    def enter(self, frame: _Frame, name: str, *, failing: bool) -> str:
        """Return the path at which control goes on at step ``name``; compile what is new."""
        step = frame.step(name)
        kind = step["type"]
        if kind == "end":
            return frame.failed if failing else frame.done
        if kind == "start":
            return self.enter(frame, step["on_completion"], failing=failing)
        path = f"{frame.prefix}{name}{'!' if failing else ''}"
        if kind == "playbook-action":
            return self._nested(frame, step, path, failing=failing)
        if path not in self._compiled.steps:
            if len(self._compiled.steps) >= MAX_STEPS:
                msg = f"more than {MAX_STEPS} steps"
                raise TooLarge(msg)
            planned = self._action(frame, step, path)
            self._compiled.steps[path] = planned  # so that the limit counts what is being compiled
            self._compiled.steps[path] = replace(
                planned,
                on_success=self._after(frame, step, failing=failing),
                on_failure=self._after_failure(frame, step, failing=failing),
            )
        return path

    def _after(self, frame: _Frame, step: Mapping[str, Any], *, failing: bool) -> str:
        following = step.get("on_success", step.get("on_completion"))
        return self.enter(frame, str(following), failing=failing)

    def _after_failure(self, frame: _Frame, step: Mapping[str, Any], *, failing: bool) -> str:
        if "on_failure" in step:
            return self.enter(frame, step["on_failure"], failing=failing)
        exception = frame.playbook.document.get("workflow_exception")
        if exception is None or failing:
            return frame.failed
        return self.enter(frame, exception, failing=True)

    def _nested(self, frame: _Frame, step: Mapping[str, Any], path: str, *, failing: bool) -> str:
        wanted = step["playbook_id"]
        inner = self._others.get(wanted)
        if inner is None or step.get("playbook_version", inner.modified) != inner.modified:
            msg = f"{wanted} is not in the register in the version asked for"
            raise PlaybookNotFound(msg)
        if wanted in frame.nesting or len(frame.nesting) >= MAX_NESTING:
            msg = f"{wanted} is nested in itself, or deeper than {MAX_NESTING}"
            raise NotYetRunnable(msg)
        if step.get("out_args"):
            msg = f"{path}: results of a nested playbook are not yet taken over"
            raise NotYetRunnable(msg)
        _require_runnable(inner)
        outer = step_scope(step, frame.scope)
        passed = {name: outer[name] for name in step.get("in_args", ())}
        given = {name: value for name, value in passed.items() if value is not None}
        below = _Frame(
            inner,
            f"{path}/",
            playbook_scope(inner.document, given),
            self._after(frame, step, failing=failing),
            self._after_failure(frame, step, failing=failing),
            (*frame.nesting, wanted),
        )
        return self.enter(below, inner.document["workflow_start"], failing=False)

    def _action(self, frame: _Frame, step: Mapping[str, Any], path: str) -> PlannedStep:
        if step.get("out_args"):
            msg = f"{path}: out_args are checked, but not yet filled"
            raise NotYetRunnable(msg)
        scope = step_scope(step, frame.scope)
        used = self._compiled.variables
        commands = step["commands"]
        name = substitute(str(step.get("name", path)), scope, used)
        if not secops_commands(step):
            return _manual(path, name, step, _instructions(path, commands, scope, used))
        extension = extension_of(step)
        approval = extension.get("approval", {})
        action = str(commands[0]["command"])
        restricting = action in RESTRICTING_ACTIONS
        self._note_limits(path, extension)
        return PlannedStep(
            path=path,
            name=name,
            kind="action",
            action=action,
            args={key: substitute(text, scope, used) for key, text in extension["args"].items()},
            targets=(),
            timeout_ms=step["timeout"],
            on_success=DONE,
            on_failure=FAILED,
            delay_ms=step.get("delay", 0),
            retry_max=extension.get("retry", {}).get("max", 0),
            backoff_ms=extension.get("retry", {}).get("backoff_ms", 0),
            verify=extension.get("verify", True),
            approval=approval.get("when", "before" if restricting else "none") == "before",
        )

    def _note_limits(self, path: str, extension: Mapping[str, Any]) -> None:
        expires = extension.get("approval", {}).get("expires_s", 0)
        if expires:
            known = self._compiled.expires_s
            self._compiled.expires_s = min(known, expires) if known else expires
        if "blast" in extension:
            self._compiled.blast[path] = extension["blast"].get("max", 1)


def _instructions(path: str, commands: Any, scope: Scope, used: dict[str, str]) -> str:
    foreign = sorted({str(c["type"]) for c in commands if c["type"] != "manual"})
    if foreign:
        msg = f"{path}: commands of type {', '.join(foreign)} are not run"
        raise NotYetRunnable(msg, place=path)
    lines = [str(c.get("command") or c.get("description") or "") for c in commands]
    return substitute("\n".join(lines), scope, used)


def _manual(path: str, name: str, step: Mapping[str, Any], instructions: str) -> PlannedStep:
    return PlannedStep(
        path=path,
        name=name,
        kind="manual",
        action="manual",
        args={"instructions": instructions},
        targets=(),
        timeout_ms=step.get("timeout", 0),
        on_success=DONE,
        on_failure=FAILED,
        delay_ms=step.get("delay", 0),
        verify=False,
        approval=False,
    )


def hashed(plan: Plan) -> Plan:
    """Return ``plan`` with its SHA-256 and SM3 over the RFC 8785 form of all it binds.

    Not in it: the run's id, the clock, and the titles people read (a target's label).
    """
    bound = asdict(plan)
    del bound["sha256"], bound["sm3"]
    for step in bound["steps"]:
        for target in step["targets"]:
            del target["label"]
    form = canonical({"policy": POLICY, **_plain(bound)})
    return replace(plan, sha256=hashlib.sha256(form).hexdigest(), sm3=sm3(form).hex())


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value


def idempotency_key(run_id: str, path: str, index: int, target: str) -> str:
    """Return SHA-256 (hex) over run, step, index and target: the same at every retry."""
    return hashlib.sha256(canonical([run_id, path, index, target])).hexdigest()
