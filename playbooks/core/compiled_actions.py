"""What a step that acts becomes in a plan: our actions, HTTP calls, work done by hand."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from playbooks.core.cacao20.graph import extension_of
from playbooks.core.cacao20.profile import secops_commands
from playbooks.core.cacao20.variables import references
from playbooks.core.cacao20.vocabulary import (
    GRANTING_ACTIONS,
    INVERSES,
    RESTRICTING_ACTIONS,
)
from playbooks.core.http_calls import (
    DEFAULT_TIMEOUT_MS,
    HTTP_API,
    escaped,
    http_arguments,
    require_same_path,
)
from playbooks.core.plan import DONE, FAILED
from playbooks.core.variables import Scope, substitute
from playbooks.errors import NotYetRunnable
from playbooks.models import PlannedStep
from playbooks.models.runs import WAIT


class Actions:
    """Makes acting steps; notes the variables they use in ``used``."""

    def __init__(self, used: dict[str, str]) -> None:
        self._used = used

    def action(
        self,
        step: Mapping[str, Any],
        path: str,
        scope: Scope,
        dynamic: AbstractSet[str],
        *,
        document: Mapping[str, Any],
    ) -> PlannedStep:
        """Return the step. Args that name a ``dynamic`` variable stay templates."""
        kind, action, templates = _templates(step, path, document)
        named = {name for _, name in references(templates)}
        late = named & dynamic
        if late and action == WAIT:
            msg = f"{path}: whose word is waited for is known from the start"
            raise NotYetRunnable(msg, place=path)
        extension = extension_of(step)
        writes = action == HTTP_API and templates["method"] != "GET"
        changes = action in RESTRICTING_ACTIONS | GRANTING_ACTIONS or writes
        approval = extension.get("approval", {}).get("when", "before" if changes else "none")
        undeclared = late - set(extension.get("late_bound", ()))
        if approval == "before" and undeclared:
            msg = f"{path}: {min(undeclared)} is known late, and not listed in late_bound"
            raise NotYetRunnable(msg, place=path)
        retry = extension.get("retry", {})
        return PlannedStep(
            path=path,
            name=substitute(_still(str(step.get("name", path)), dynamic), scope, self._used),
            kind=kind,
            action=action,
            args=templates if late else filled(templates, scope, self._used),
            targets=(),
            timeout_ms=step.get("timeout", DEFAULT_TIMEOUT_MS if action == HTTP_API else 0),
            on_success=DONE,
            on_failure=FAILED,
            delay_ms=step.get("delay", 0),
            retry_max=retry.get("max", 0),
            backoff_ms=retry.get("backoff_ms", 0),
            verify=kind == "action" and extension.get("verify", True),
            approval=approval == "before",
            out_args=tuple(step.get("out_args", ())),
            late=tuple(sorted(named)) if late else (),
            blast=extension.get("blast", {}).get("max", 0),
        )


def gives_back(undo: PlannedStep, done: PlannedStep) -> bool:
    """Tell whether ``undo`` is the inverse of ``done`` and about the same subject."""
    return INVERSES.get(done.action) == undo.action and undo.args == done.args


def filled(templates: Mapping[str, str], scope: Scope, used: dict[str, str]) -> dict[str, str]:
    """Return the args with values in their places, each escaped for where it stands.

    Raises ``VariableMissing``, or ``Invalid`` if a value leads a call to another path.
    """
    calls = "base" in templates
    args = {
        key: substitute(text, _escaped(key, scope) if calls else scope, used)
        for key, text in templates.items()
    }
    if calls:
        require_same_path(args)
    return args


def _escaped(key: str, scope: Scope) -> Scope:
    return {name: None if value is None else escaped(key, value) for name, value in scope.items()}


def _still(text: str, dynamic: AbstractSet[str]) -> str:
    """Return ``text`` with dynamic references as bare names: a title is not known late."""
    for _, name in references(text):
        if name in dynamic:
            text = text.replace(f"{name}:value", name)
    return text


def _templates(
    step: Mapping[str, Any], path: str, document: Mapping[str, Any]
) -> tuple[Any, str, dict[str, str]]:
    """Return (kind, action, args before substitution)."""
    commands = step["commands"]
    if secops_commands(step):
        return "action", str(commands[0]["command"]), dict(extension_of(step)["args"])
    if {command["type"] for command in commands} == {HTTP_API}:
        return "action", HTTP_API, http_arguments(step, path, document)
    foreign = sorted({str(c["type"]) for c in commands if c["type"] != "manual"})
    if foreign:
        msg = f"{path}: commands of type {', '.join(foreign)} are not run"
        raise NotYetRunnable(msg, place=path)
    lines = [str(c.get("command") or c.get("description") or "") for c in commands]
    return "manual", "manual", {"instructions": "\n".join(lines)}
