"""From a checked playbook to the steps that somebody approves.

``compile_steps`` follows the workflow from its start. A step leads to another step's path, to
``end:done`` or to ``end:failed``; branches and nested playbooks end in the same two words, and
control returns to the step that opened them. After a failure without an ``on_failure`` comes
``workflow_exception``, whose steps are marked ``!``; in a branch it is the branch that failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from playbooks.core.cacao20.graph import branches, extension_of
from playbooks.core.cacao20.variables import references, variables_of
from playbooks.core.cacao20.vocabulary import BRANCHING, GRANTING_ACTIONS
from playbooks.core.compiled_actions import Actions, gives_back
from playbooks.core.plan import DONE, FAILED
from playbooks.core.stix21 import names_in, read_condition
from playbooks.core.variables import Scope, own_values, playbook_scope, step_scope, substitute
from playbooks.errors import NotYetRunnable, PlaybookNotFound
from playbooks.models import CheckedPlaybook, PlannedStep
from playbooks.models.runs import UNDO, StepKind
from secops.kernel.errors import TooLarge

MAX_STEPS: Final = 100
MAX_NESTING: Final = 5
_KINDS: Final[Mapping[str, StepKind]] = {
    "parallel": "parallel",
    "if-condition": "if",
    "while-condition": "while",
    "switch-condition": "switch",
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """One playbook being compiled. ``dynamic`` are the variables that change while it runs."""

    playbook: CheckedPlaybook
    prefix: str
    scope: Scope
    dynamic: frozenset[str]
    nesting: tuple[str, ...]

    def step(self, name: str) -> Mapping[str, Any]:
        step: Mapping[str, Any] = self.playbook.document["workflow"][name]
        return step


@dataclass(frozen=True, slots=True)
class _Way:
    """How control came here: after a failure, inside a branch, in the loop of ``head``."""

    mark: str = ""
    end: str = DONE
    inside: bool = False
    head: str = ""


@dataclass(slots=True)
class Compiled:
    """Steps by path (targets still empty), the first one, and the variables used."""

    first: str = DONE
    steps: dict[str, PlannedStep] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    scopes: dict[str, dict[str, str | None]] = field(default_factory=dict)
    expires_s: int = 0
    approvers: int = 1


def compile_steps(
    playbook: CheckedPlaybook,
    given: Mapping[str, str],
    others: Mapping[str, CheckedPlaybook],
) -> Compiled:
    """Return the steps of ``playbook``; ``others`` are playbooks by id.

    Raises ``NotYetRunnable``, ``VariableMissing``, ``PlaybookNotFound`` or ``TooLarge``.
    """
    compiled = Compiled()
    scope = playbook_scope(playbook.document, given)
    frame = _Frame(playbook, "", scope, _assigned(playbook), (playbook.id,))
    compiled.first = _Compiler(compiled, others).enter(
        frame, playbook.document["workflow_start"], _Way()
    )
    compiled.steps = _in_reading_order(compiled)
    return compiled


def _assigned(playbook: CheckedPlaybook) -> frozenset[str]:
    shared = variables_of(playbook.document, "playbook_variables")
    workflow = playbook.document["workflow"].values()
    return frozenset(n for step in workflow for n in step.get("out_args", ()) if n in shared)


def _in_reading_order(compiled: Compiled) -> dict[str, PlannedStep]:
    """Return the steps as they run when all goes well, then failures, then what takes back."""
    ordered: dict[str, PlannedStep] = {}
    waiting = [compiled.first]
    while waiting:
        path = waiting.pop()
        if path in compiled.steps and path not in ordered:
            step = compiled.steps[path]
            ordered[path] = step  # the last one added is looked at first
            heads = [head for _, head in sorted(step.branches.items(), reverse=True)]
            waiting += [step.on_failure, step.on_success, *heads]
    return {**ordered, **compiled.steps}


class _Compiler:
    def __init__(self, compiled: Compiled, others: Mapping[str, CheckedPlaybook]) -> None:
        self._compiled = compiled
        self._others = others
        self._actions = Actions(compiled.variables)
        self._open: set[str] = set()

    def enter(self, frame: _Frame, name: str, way: _Way) -> str:
        """Return the path at which control goes on at step ``name``; compile what is new."""
        step = frame.step(name)
        kind = step["type"]
        if kind == "end" or name == way.head:
            return way.end
        if kind == "start":
            return self.enter(frame, step["on_completion"], way)
        path = f"{frame.prefix}{name}{way.mark}"
        if path in self._open:
            msg = f"{path}: control comes back to it outside of a loop"
            raise NotYetRunnable(msg, place=path)
        if path not in self._compiled.steps:
            self._open.add(path)
            self._compile(frame, step, path, way)
            self._open.discard(path)
        return path

    def _compile(self, frame: _Frame, step: Mapping[str, Any], path: str, way: _Way) -> None:
        planned = self._planned(frame, step, path, way)
        self._put(planned)  # so that the limit counts what is being compiled
        after = step.get("on_success", step.get("on_completion"))
        self._compiled.steps[path] = replace(
            planned,
            on_success=self.enter(frame, str(after), way),
            on_failure=self._after_failure(frame, step, way),
        )

    def _put(self, planned: PlannedStep) -> None:
        if len(self._compiled.steps) >= MAX_STEPS:
            msg = f"more than {MAX_STEPS} steps"
            raise TooLarge(msg)
        self._compiled.steps[planned.path] = planned

    def _after_failure(self, frame: _Frame, step: Mapping[str, Any], way: _Way) -> str:
        if "on_failure" in step:
            return self.enter(frame, step["on_failure"], way)
        exception = frame.playbook.document.get("workflow_exception")
        if exception is None or way.inside or way.mark:
            return FAILED
        return self.enter(frame, exception, _Way(mark="!", end=FAILED))

    def _planned(self, frame: _Frame, step: Mapping[str, Any], path: str, way: _Way) -> PlannedStep:
        if step["type"] == "playbook-action":
            return self._nested(frame, step, path)
        if step["type"] in BRANCHING:
            return self._branching(frame, step, path, way)
        return self._acting(frame, step, path)

    def _acting(
        self, frame: _Frame, step: Mapping[str, Any], path: str, *, takes_back: bool = False
    ) -> PlannedStep:
        scope = step_scope(step, frame.scope)
        own = variables_of(step, "step_variables")
        planned = self._actions.action(
            step, path, scope, frame.dynamic - own.keys(), document=frame.playbook.document
        )
        if planned.action in GRANTING_ACTIONS and not (planned.approval or takes_back):
            msg = f"{path}: {planned.action} is approved before, whatever the playbook says"
            raise NotYetRunnable(msg, place=path)
        extension = extension_of(step)
        self._note_limits(extension)
        self._note(frame, {*planned.late, *planned.out_args} - own.keys())
        wanted = extension.get("compensate")
        if wanted:
            undo = self._undo(frame, str(wanted), planned)
            planned = replace(planned, compensate=undo, ttl_s=extension.get("ttl_s", 0))
        asks = _asked(frame, step) if planned.kind == "manual" else {}
        return replace(planned, frame=frame.prefix, local=own_values(step), asks=asks)

    def _undo(self, frame: _Frame, name: str, done: PlannedStep) -> str:
        """Compile the step that takes ``done`` back; it stands alone and controls nothing."""
        step, path = frame.step(name), f"{done.path}{UNDO}"
        following = frame.step(str(step.get("on_success", step.get("on_completion"))))
        if (
            step["type"] != "action"
            or following["type"] != "end"
            or extension_of(step).get("compensate")
        ):
            msg = f"{name}: what compensates is one action that leads to an end"
            raise NotYetRunnable(msg, place=path)
        planned = self._acting(frame, step, path, takes_back=True)
        if planned.late:
            msg = f"{name}: what compensates is known from the start, not from {planned.late[0]}"
            raise NotYetRunnable(msg, place=path)
        if planned.action in GRANTING_ACTIONS and not gives_back(planned, done):
            msg = f"{name}: gives back something else than what {done.name} took"
            raise NotYetRunnable(msg, place=path)
        self._put(planned)
        return path

    def _branching(
        self, frame: _Frame, step: Mapping[str, Any], path: str, way: _Way
    ) -> PlannedStep:
        kind = _KINDS[step["type"]]
        name = path.rpartition("/")[2].removesuffix("!")
        below = _Way(way.mark, DONE, inside=True, head=name if kind == "while" else way.head)
        condition = str(step.get("condition", step.get("switch", "")))
        planned = _control(kind, path, frame, step)
        if kind in ("if", "while"):
            self._note(frame, names_in(read_condition(condition)) - planned.local.keys())
        elif kind == "switch":
            names = {found for _, found in references(condition)}
            self._note(frame, names - planned.local.keys())
        self._put(planned)
        heads = {
            _choice(kind, key, number): self.enter(frame, head, below)
            for number, (key, head) in enumerate(_heads(kind, step), 1)
        }
        return replace(planned, condition=condition, branches=heads)

    def _nested(self, frame: _Frame, step: Mapping[str, Any], path: str) -> PlannedStep:
        wanted = step["playbook_id"]
        inner = self._others.get(wanted)
        if inner is None or step.get("playbook_version", inner.modified) != inner.modified:
            msg = f"{wanted} is not in the register in the version asked for"
            raise PlaybookNotFound(msg)
        if wanted in frame.nesting or len(frame.nesting) >= MAX_NESTING:
            msg = f"{wanted} is nested in itself, or deeper than {MAX_NESTING}"
            raise NotYetRunnable(msg)
        known = variables_of(inner.document, "playbook_variables")
        for name in (*step.get("in_args", ()), *step.get("out_args", ())):
            if name not in known:
                msg = f"{path}: {wanted} has no variable {name}"
                raise NotYetRunnable(msg, place=path)
        outer = step_scope(step, frame.scope)
        passed = {name: outer[name] for name in step.get("in_args", ())}
        given = {name: value for name, value in passed.items() if value is not None}
        own = variables_of(step, "step_variables")
        dynamic = _assigned(inner) | ((frame.dynamic - own.keys()) & passed.keys())
        scope = playbook_scope(inner.document, given)
        below = _Frame(inner, f"{path}/", scope, dynamic, (*frame.nesting, wanted))
        planned = _control("playbook", path, frame, step)
        changing = tuple(n for n in planned.in_args if known[n].get("constant") is not True)
        planned = replace(planned, in_args=changing)
        self._note(frame, {*planned.in_args, *planned.out_args} - own.keys())
        self._note(below, {*planned.in_args, *planned.out_args, *dynamic})
        self._put(planned)
        head = self.enter(below, inner.document["workflow_start"], _Way())
        return replace(planned, branches={"body": head})

    def _note(self, frame: _Frame, names: set[str]) -> None:
        kept = self._compiled.scopes.setdefault(frame.prefix, {})
        for name in sorted(names):
            kept[name] = frame.scope[name]

    def _note_limits(self, extension: Mapping[str, Any]) -> None:
        approval = extension.get("approval", {})
        expires = approval.get("expires_s", 0)
        if expires:
            known = self._compiled.expires_s
            self._compiled.expires_s = min(known, expires) if known else expires
        self._compiled.approvers = max(self._compiled.approvers, approval.get("n", 1))


def _asked(frame: _Frame, step: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return type and description of each result that a person gives with the answer."""
    shared = variables_of(frame.playbook.document, "playbook_variables")
    known = {**shared, **variables_of(step, "step_variables")}
    return {
        name: {"type": str(known[name]["type"]), "text": str(known[name].get("description", ""))}
        for name in step.get("out_args", ())
    }


def _heads(kind: StepKind, step: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the branches in an order that the order of keys in a file doesn't change.

    The register keeps the RFC 8785 form: a plan made from the file has the same hash.
    """
    heads = list(branches(step))
    return heads if kind == "parallel" else sorted(heads)


def _choice(kind: StepKind, key: str, number: int) -> str:
    """Name a branch: true, false, the case's own word, or a parallel branch's number."""
    if kind == "parallel":
        return f"{number:03}"
    if kind == "switch":
        return key.partition("/")[2]
    return key.removeprefix("on_")


def _control(kind: StepKind, path: str, frame: _Frame, step: Mapping[str, Any]) -> PlannedStep:
    """Return a step that acts on nothing itself."""
    return PlannedStep(
        path=path,
        name=_substitute_known(str(step.get("name", path)), frame.scope),
        kind=kind,
        action=kind,
        args={},
        targets=(),
        timeout_ms=step.get("timeout", 0),
        on_success=DONE,
        on_failure=FAILED,
        delay_ms=step.get("delay", 0),
        verify=False,
        approval=False,
        frame=frame.prefix,
        local=own_values(step),
        in_args=tuple(step.get("in_args", ())),
        out_args=tuple(step.get("out_args", ())),
    )


def _substitute_known(text: str, scope: Scope) -> str:
    """Return ``text`` with the variables that have a value; the names of the others stay."""
    shown = {name: value if value is not None else name for name, value in scope.items()}
    return substitute(text, shown, {})
