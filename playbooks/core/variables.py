"""Values of playbook variables, and their substitution into texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from playbooks.core.cacao20.variables import variables_of
from playbooks.core.cacao20.vocabulary import REFERENCE
from playbooks.errors import VariableMissing
from secops.kernel.errors import Invalid

MAX_VALUE: Final = 2_000
MAX_GIVEN: Final = 100
"""Variables that a request may set."""
MAX_TEXT: Final = 65_536
"""Characters of a text with all values in their places: a short one may name a long value often."""
_TYPED: Final = {
    "bool": re.compile("true|false"),
    "integer": re.compile(r"-?[0-9]{1,18}"),
    "long": re.compile(r"-?[0-9]{1,18}"),
    "float": re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?"),
}
"""What a value of these types (CACAO 2.0 §10.18) looks like; others are any text."""
Scope = Mapping[str, str | None]


def _value(name: str, definition: Mapping[str, Any]) -> str | None:
    value = definition.get("value")
    return bounded(name, value) if isinstance(value, str) else None


def bounded(name: str, value: str) -> str:
    """Return ``value``, which variable ``name`` gets; raise ``Invalid`` if it is too long."""
    if len(value) > MAX_VALUE:
        msg = f"the value of {name[:60]} is longer than {MAX_VALUE} characters"
        raise Invalid(msg)
    return value


def fits(kind: str, value: str) -> bool:
    """Tell whether ``value`` is one of variable type ``kind``, short enough to be kept."""
    typed = _TYPED.get(kind)
    return len(value) <= MAX_VALUE and (typed is None or typed.fullmatch(value) is not None)


def playbook_scope(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str | None]:
    """Return the playbook's variables with ``given`` put in; raise ``Invalid``.

    What is given for a name the playbook doesn't know is no error: an incident offers all
    it has. A constant keeps its value.
    """
    scope: dict[str, str | None] = {}
    for name, definition in variables_of(document, "playbook_variables").items():
        scope[name] = _value(name, definition)
        if name in given and definition.get("constant") is not True:
            scope[name] = bounded(name, given[name])
    return scope


def step_scope(step: Mapping[str, Any], outer: Scope) -> Scope:
    """Return ``outer`` with the step's own variables before it."""
    return {**outer, **own_values(step)}


def own_values(step: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the step's own variables."""
    own = variables_of(step, "step_variables")
    return {name: _value(name, definition) for name, definition in own.items()}


def substitute(text: str, scope: Scope, used: dict[str, str]) -> str:
    """Return ``text`` with every ``__name__:value`` replaced, once; note names in ``used``.

    What a value contains is never looked at again, so a name from a log can't inject a
    reference. Raises ``VariableMissing``, or ``Invalid`` for a result above ``MAX_TEXT``.
    """
    room = MAX_TEXT - len(text)

    def replace(match: re.Match[str]) -> str:
        value = scope.get(match[1])
        if value is None:
            msg = f"{match[1]} has no value"
            raise VariableMissing(msg, variable=match[1])
        nonlocal room
        room -= len(value)
        if room < 0:
            msg = f"a text longer than {MAX_TEXT} characters with its values in place"
            raise Invalid(msg)
        used[match[1]] = value
        return value

    return REFERENCE.sub(replace, text)
