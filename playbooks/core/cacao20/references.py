"""References to definitions, times that contradict each other, and HTTP start lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playbooks.core.cacao20.graph import steps_of
from playbooks.core.cacao20.problems import Findings, pointer
from playbooks.core.cacao20.vocabulary import HTTP_START_LINE, TIMESTAMP
from secops.kernel.clock import from_rfc3339


def instant(value: Any) -> int | None:
    """Return UTC microseconds of a CACAO timestamp, None where it is none."""
    if not isinstance(value, str) or TIMESTAMP.fullmatch(value) is None:
        return None
    try:
        return from_rfc3339(value)
    except ValueError:  # 31 February
        return None


def check_times(document: Mapping[str, Any], findings: Findings) -> None:
    """Note times in the wrong order and dates that don't exist."""
    for key in ("created", "modified", "valid_from", "valid_until"):
        value = document.get(key)
        if isinstance(value, str) and TIMESTAMP.fullmatch(value) and instant(value) is None:
            findings.add("bad_timestamp", f"/{key}", value)
    created, modified = instant(document.get("created")), instant(document.get("modified"))
    if created is not None and modified is not None and modified < created:
        findings.add("modified_before_created", "/modified", str(document["modified"]))
    since, until = instant(document.get("valid_from")), instant(document.get("valid_until"))
    if since is not None and until is not None and until <= since:
        findings.add("validity_reversed", "/valid_until", str(document["valid_until"]))


def _defined(document: Mapping[str, Any], *keys: str) -> set[str]:
    names: set[str] = set()
    for key in keys:
        value = document.get(key)
        if isinstance(value, dict):
            names |= value.keys()
    return names


def check_references(document: Mapping[str, Any], findings: Findings) -> None:
    """Note agents, targets and authentication that are named and not defined."""
    agents = _defined(document, "agent_definitions")
    targets = _defined(document, "target_definitions", "agent_definitions")
    secrets = _defined(document, "authentication_info_definitions")
    for name, step in steps_of(document).items():
        place = pointer("/workflow", name)
        agent = step.get("agent")
        if isinstance(agent, str) and agent not in agents:
            findings.add("unknown_agent", f"{place}/agent", agent)
        listed = step.get("targets")
        for number, target in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(target, str) and target not in targets:
                findings.add("unknown_target", f"{place}/targets/{number}", target)
        _check_start_lines(place, step, findings)
    for key in ("agent_definitions", "target_definitions"):
        definitions = document.get(key)
        for name, member in (definitions if isinstance(definitions, dict) else {}).items():
            wanted = member.get("authentication_info") if isinstance(member, dict) else None
            if isinstance(wanted, str) and wanted not in secrets:
                where = pointer(f"/{key}", name)
                findings.add("unknown_authentication", f"{where}/authentication_info", wanted)


def _check_start_lines(place: str, step: Mapping[str, Any], findings: Findings) -> None:
    commands = step.get("commands")
    for number, command in enumerate(commands if isinstance(commands, list) else ()):
        if not isinstance(command, dict) or command.get("type") not in ("http-api", "openc2-http"):
            continue
        line = command.get("command")
        if isinstance(line, str) and HTTP_START_LINE.fullmatch(line) is None:
            findings.add("http_start_line", f"{place}/commands/{number}/command", line)
