"""Variables: what is defined where, and every place that names one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from playbooks.core.cacao20.graph import steps_of
from playbooks.core.cacao20.problems import Findings, pointer
from playbooks.core.cacao20.vocabulary import REFERENCE

_DEFINITIONS: Final = (
    "agent_definitions",
    "target_definitions",
    "authentication_info_definitions",
)


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _strings(member, pointer(place, key))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _strings(member, pointer(place, number))


def variables_of(holder: Mapping[str, Any], key: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the variables under ``key`` that are objects."""
    value = holder.get(key)
    if not isinstance(value, dict):
        return {}
    return {name: member for name, member in value.items() if isinstance(member, dict)}


def references(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield (place, variable name) of every ``__name__:value`` inside ``value``."""
    for where, string in _strings(value, place):
        for match in REFERENCE.finditer(string):
            yield where, match[1]


def check_variables(document: Mapping[str, Any], findings: Findings) -> None:
    """Note names that are defined nowhere, constants that are assigned, and shadows."""
    shared = variables_of(document, "playbook_variables")
    for key in _DEFINITIONS:
        for place, name in references(document.get(key), f"/{key}"):
            if name not in shared:
                findings.add("undefined_variable", place, name)
    for name, step in steps_of(document).items():
        _check_step(pointer("/workflow", name), step, shared, findings)


def _check_step(
    place: str,
    step: Mapping[str, Any],
    shared: Mapping[str, Mapping[str, Any]],
    findings: Findings,
) -> None:
    own = variables_of(step, "step_variables")
    scope = {**shared, **own}
    for name in own:
        if name in shared:
            findings.add("shadowed_variable", f"{place}/step_variables/{name}", name)
    body = {key: value for key, value in step.items() if key != "step_variables"}
    for where, name in references(body, place):
        if name not in scope:
            findings.add("undefined_variable", where, name)
    for key in ("in_args", "out_args"):
        names = step.get(key)
        for number, name in enumerate(names if isinstance(names, list) else ()):
            where = f"{place}/{key}/{number}"
            if not isinstance(name, str):
                continue
            if name not in scope:
                findings.add("undefined_variable", where, name)
            elif key == "out_args" and scope[name].get("constant") is True:
                findings.add("constant_assigned", where, name)
