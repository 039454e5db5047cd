"""The workflow as a graph: references, reachability, cycles, and what belongs to a branch.

Works on any JSON value: steps that have no usable shape are skipped here, because
``shape`` has already named them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from playbooks.core.cacao20.problems import Findings, pointer
from playbooks.core.cacao20.vocabulary import BRANCHING, EXTENSION

MAX_STEPS: Final = 500
"""What lies on the ways between them grows with their square; a plan takes 100."""
_ONWARD: Final = ("on_completion", "on_success", "on_failure")

Steps = Mapping[str, Mapping[str, Any]]


def steps_of(document: Mapping[str, Any]) -> Steps:
    """Return the steps that are objects."""
    workflow = document.get("workflow")
    if not isinstance(workflow, dict):
        return {}
    return {key: step for key, step in workflow.items() if isinstance(step, dict)}


def extension_of(step: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return our extension of ``step``, empty where there is none."""
    extensions = step.get("step_extensions")
    value = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    return value if isinstance(value, dict) else {}


def onward(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (key, step id) of where control goes after the step itself."""
    for key in _ONWARD:
        if isinstance(step.get(key), str):
            yield key, step[key]


def branches(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (pointer part, step id) of the heads of a branching step's branches."""
    kind = step.get("type")
    if kind == "parallel" and isinstance(step.get("next_steps"), list):
        for number, head in enumerate(step["next_steps"]):
            if isinstance(head, str):
                yield f"next_steps/{number}", head
    elif kind in ("if-condition", "while-condition"):
        for key in ("on_true", "on_false"):
            if isinstance(step.get(key), str):
                yield key, step[key]
    elif kind == "switch-condition" and isinstance(step.get("cases"), dict):
        for case, head in step["cases"].items():
            if isinstance(head, str):
                yield pointer("cases", case), head


def check_graph(document: Mapping[str, Any], findings: Findings) -> None:
    """Note every defect of the workflow as a graph."""
    steps = steps_of(document)
    if len(steps) > MAX_STEPS:
        findings.add("too_many_steps", "/workflow", f"{len(steps)} > {MAX_STEPS}")
        return
    _check_ends(document, steps, findings)
    for name, step in steps.items():
        _check_successors(name, step, steps, findings)
    _check_cycles(steps, findings)
    _check_reachable(document, steps, findings)
    for name, step in steps.items():
        if str(step.get("type")) in BRANCHING:
            _check_branches(name, step, steps, findings)


def _check_ends(document: Mapping[str, Any], steps: Steps, findings: Findings) -> None:
    start = document.get("workflow_start")
    if not isinstance(start, str) or steps.get(start, {}).get("type") != "start":
        findings.add("start_missing", "/workflow_start", str(start))
    exception = document.get("workflow_exception")
    if isinstance(exception, str) and exception not in steps:
        findings.add("dangling_reference", "/workflow_exception", exception)
    kinds = {str(step.get("type")) for step in steps.values()}
    if "end" not in kinds:
        findings.add("end_missing", "/workflow")
    if not kinds & {"action", "playbook-action"}:
        findings.add("action_missing", "/workflow")


def _check_successors(name: str, step: Mapping[str, Any], steps: Steps, findings: Findings) -> None:
    place = pointer("/workflow", name)
    for key, target in (*onward(step), *branches(step)):
        if target not in steps:
            findings.add("dangling_reference", f"{place}/{key}", target)
    kind = step.get("type")
    if kind == "end":
        for key, _ in onward(step):
            findings.add("end_has_successor", f"{place}/{key}")
        return
    completion = "on_completion" in step
    if completion and ("on_success" in step or "on_failure" in step):
        findings.add("completion_and_success", place)
    if kind == "start" and ("on_success" in step or "on_failure" in step):
        findings.add("start_branches", place)
    if not completion and "on_success" not in step:
        findings.add("successor_missing", place)
    cases = step.get("cases")
    if kind == "switch-condition" and isinstance(cases, dict) and "default" not in cases:
        findings.add("switch_without_default", f"{place}/cases")


def _successors(name: str, steps: Steps) -> list[str]:
    step = steps.get(name, {})
    return [target for _, target in (*onward(step), *branches(step)) if target in steps]


def reachable(head: str, steps: Steps) -> set[str]:
    """Return ``head`` and every step that control may come to from it."""
    seen: set[str] = set()
    waiting = [head] if head in steps else []
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_successors(name, steps))
    return seen


def _check_reachable(document: Mapping[str, Any], steps: Steps, findings: Findings) -> None:
    seen: set[str] = set()
    for key in ("workflow_start", "workflow_exception"):
        head = document.get(key)
        if isinstance(head, str):
            seen |= reachable(head, steps)
    for name in tuple(seen):
        seen |= reachable(str(extension_of(steps[name]).get("compensate")), steps)
    for name in steps:
        if name not in seen:
            findings.add("unreachable_step", pointer("/workflow", name))


def _check_cycles(steps: Steps, findings: Findings) -> None:
    """Depth-first search with an explicit stack; an edge to a step in progress is a cycle.

    An edge back to a while-condition is how some tools draw its loop, and is let pass.
    """
    done: set[str] = set()
    for root in steps:
        if root in done:
            continue
        progress = [root]
        inside = {root}
        stack = [iter(_successors(root, steps))]
        while stack:
            target = next(stack[-1], None)
            if target is None:
                stack.pop()
                name = progress.pop()
                inside.discard(name)
                done.add(name)
            elif target in inside:
                if steps[target].get("type") != "while-condition":
                    findings.add("cycle", pointer("/workflow", progress[-1]), target)
            elif target not in done:
                progress.append(target)
                inside.add(target)
                stack.append(iter(_successors(target, steps)))


def _check_branches(name: str, step: Mapping[str, Any], steps: Steps, findings: Findings) -> None:
    """Each branch ends in an end step of its own; nothing is shared with what follows."""
    place = pointer("/workflow", name)
    after: set[str] = set()
    for _, target in onward(step):
        after |= reachable(target, steps)
    owner: dict[str, str] = {}
    for key, head in branches(step):
        members = reachable(head, steps) - {name}
        if members and not any(steps[member].get("type") == "end" for member in members):
            findings.add("branch_without_end", f"{place}/{key}", head)
        for member in sorted(members):
            if member in after or owner.get(member, head) != head:
                findings.add("branch_shared", f"{place}/{key}", member)
            owner[member] = head
