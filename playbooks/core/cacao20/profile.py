"""Our profile: ``secops`` commands, their step extension, and what this release can run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playbooks.core.cacao20.grammar import Check, Record, anything, array, boolean, integer, one_of
from playbooks.core.cacao20.grammar import text as string
from playbooks.core.cacao20.graph import MAX_STEPS, Steps, extension_of, steps_of
from playbooks.core.cacao20.problems import Findings, pointer
from playbooks.core.cacao20.vocabulary import (
    ACTIONS,
    EXTENSION,
    SECOPS,
)
from playbooks.core.stix21 import ConditionInvalid, read_condition

_HOUR_S: Final = 3_600
_EXTENSION: Final = Record(
    {
        "args": anything,
        "idempotency": one_of("idempotent", "readable", "neither"),
        "retry": Record({"max": integer(0, 10), "backoff_ms": integer(0, 3_600_000)}),
        "compensate": string,
        "ttl_s": integer(1, 365 * 24 * _HOUR_S),
        "blast": Record({"max": integer(1, 100_000), "per_s": integer(1, 10_000)}),
        "approval": Record(
            {
                "when": one_of("before", "none"),
                "role": string,
                "n": integer(1, 5),
                "not_requester": boolean,
                "expires_s": integer(60, 7 * 24 * _HOUR_S),
            }
        ),
        "verify": boolean,
        "late_bound": array(string),
    },
    frozenset({"args"}),
)


def secops_commands(step: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the step's commands of our own type, with their index."""
    commands = step.get("commands")
    return [
        (number, command)
        for number, command in enumerate(commands if isinstance(commands, list) else ())
        if isinstance(command, dict) and command.get("type") == SECOPS
    ]


def check_profile(document: Mapping[str, Any], findings: Findings) -> None:
    """Note what breaks the profile, and what this release can't execute yet."""
    steps = steps_of(document)
    if len(steps) > MAX_STEPS:
        return  # the graph said so
    for name, step in steps.items():
        place = pointer("/workflow", name)
        _check_extension(document, place, step, findings)
        if secops_commands(step):
            _check_action(document, place, step, findings)
        _check_condition(place, step, findings)
        _check_not_yet(place, step, findings)
    _check_compensations(steps, findings)


def _check_extension(
    document: Mapping[str, Any], place: str, step: Mapping[str, Any], findings: Findings
) -> None:
    extensions = step.get("step_extensions")
    declared = document.get("extension_definitions")
    for key, value in (extensions if isinstance(extensions, dict) else {}).items():
        where = pointer(f"{place}/step_extensions", key)
        if not isinstance(declared, dict) or key not in declared:
            findings.add("extension_undeclared", where, key)
        if key == EXTENSION:
            _EXTENSION(value, where, findings)


def _check_action(
    document: Mapping[str, Any], place: str, step: Mapping[str, Any], findings: Findings
) -> None:
    commands = step.get("commands")
    if isinstance(commands, list) and len(commands) != 1:
        findings.add("one_command_only", f"{place}/commands", str(len(commands)))
    if not step.get("timeout"):
        findings.add("timeout_missing", place)
    agents = document.get("agent_definitions")
    agent = agents.get(str(step.get("agent"))) if isinstance(agents, dict) else None
    if not isinstance(agent, dict) or agent.get("type") != SECOPS:
        findings.add("secops_agent_required", f"{place}/agent", str(step.get("agent")))
    number, command = secops_commands(step)[0]
    action = command.get("command")
    if not isinstance(action, str) or action not in ACTIONS:
        findings.add("unknown_action", f"{place}/commands/{number}/command", str(action))
        return
    fields: dict[str, Check] = dict.fromkeys(ACTIONS[action], string)
    where = pointer(f"{place}/step_extensions", EXTENSION)
    Record(fields, ACTIONS[action])(extension_of(step).get("args", {}), f"{where}/args", findings)


def _check_condition(place: str, step: Mapping[str, Any], findings: Findings) -> None:
    condition = step.get("condition")
    if isinstance(condition, str):
        try:
            read_condition(condition)
        except ConditionInvalid as error:
            findings.add("bad_condition", f"{place}/condition", str(error))


def _check_not_yet(place: str, step: Mapping[str, Any], findings: Findings) -> None:
    extension = extension_of(step)
    where = pointer(f"{place}/step_extensions", EXTENSION)
    if extension.get("ttl_s") and not extension.get("compensate"):
        findings.add("ttl_without_compensate", f"{where}/ttl_s")
    approval = extension.get("approval")
    role = approval.get("role", "security-admin") if isinstance(approval, dict) else None
    if role not in (None, "security-admin"):
        findings.add("not_yet", f"{where}/approval/role", str(role))


def _check_compensations(steps: Steps, findings: Findings) -> None:
    after = {
        name: str(extension_of(step)["compensate"])
        for name, step in steps.items()
        if extension_of(step).get("compensate")
    }
    for name, target in after.items():
        place = f"{pointer('/workflow', name)}/step_extensions/{EXTENSION}/compensate"
        if target not in steps:
            findings.add("dangling_reference", place, target)
        seen = {name}
        following: str | None = target
        while following in after and following not in seen:
            seen.add(following)
            following = after[following]
        if following in seen:
            findings.add("compensate_cycle", place, following)
