"""Windows events: the ``Event`` object of an EVTX record as fields.

Two namespaces, because payloads reuse System's names (``Channel``, ``Version``, ``Level``):
payload fields keep their own names (``Image``, ``TargetUserName``, ``Data``), System's carry
the prefix ``System.`` (``System.EventID``, ``System.Provider_Name``). Log sources are judged
by System; a rule's field reads the payload first, then System (``resolve``).
Facts: PyPI ``evtx`` 0.14 JSON of 24,661 real records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from detectors.core.events.text import add_value, canonical_list, canonical_scalar
from secops.kernel.logs import Value

SYSTEM: Final = "System."
MODULE: Final = "windows"
_MAX_DEPTH: Final = 16
_ATTRIBUTES: Final = "#attributes"
_TEXT: Final = "#text"
_DIGITS: Final = frozenset("0123456789")
_ECS: Final = {
    "EventID": "event.code",
    "Provider_Name": "event.provider",
    "Computer": "host.name",
    "Channel": "winlog.channel",
}


class TooDeep(ValueError):
    """The record nests deeper than any real one."""


def resolve(fields: Mapping[str, Value], name: str) -> Value | None:
    """Return what a rule's field ``name`` reads: the payload's, then System's."""
    value = fields.get(name)
    return fields.get(SYSTEM + name) if value is None else value


def flatten_event(event: Mapping[str, Any]) -> dict[str, Value]:
    """Return the fields of ``event`` (what stands under ``Event``), both namespaces.

    Attributes become ``Parent_attr``; a UserData wrapper and xmlns are dropped; repeated
    siblings and unnamed ``Data`` become lists; null and ``[]`` are absent, ``""`` stays.
    ``event`` is as orjson reads it: no lone surrogates. Raises ``TooDeep``.
    """
    fields: dict[str, Value] = {}
    for name, body in event.items():
        if name == "System":
            continue
        if isinstance(body, Mapping):
            if name == "UserData":
                _user_data(fields, body)
            elif name != _ATTRIBUTES:
                _element(fields, name, body, 0)
    _system(fields, event.get("System"))
    return fields


def with_ecs(fields: dict[str, Value]) -> dict[str, Value]:
    """Add the ECS names that searches across sources use; return the same ``fields``."""
    fields["event.module"] = MODULE
    for name, ecs in _ECS.items():
        value = fields.get(SYSTEM + name)
        if value is not None:
            fields[ecs] = value
    return fields


def system_time(event: Mapping[str, Any]) -> str | None:
    """Return the text of System.TimeCreated's SystemTime (the record's own may be 1601)."""
    created = _mapping(_mapping(event.get("System")).get("TimeCreated"))
    text = _mapping(created.get(_ATTRIBUTES)).get("SystemTime")
    return text if isinstance(text, str) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}  # as orjson reads it; an ABC would be slow


def _system(fields: dict[str, Value], system: Any) -> None:
    for name, value in _mapping(system).items():
        own, content = SYSTEM + name, value
        if isinstance(value, dict):
            content = value.get(_TEXT)
            for key, attribute in _mapping(value.get(_ATTRIBUTES)).items():
                text = canonical_scalar(attribute)
                if text is not None:
                    fields[f"{own}_{key}"] = text
        text = canonical_scalar(content)
        if text is not None:
            fields[own] = text


def _user_data(fields: dict[str, Value], body: Mapping[str, Any]) -> None:
    for wrapper, content in body.items():
        if wrapper == _ATTRIBUTES:
            continue
        if isinstance(content, Mapping):
            _element(fields, wrapper, content, 0)
        else:
            _leaf(fields, wrapper, content)


def _element(fields: dict[str, Value], parent: str, body: Mapping[str, Any], depth: int) -> None:
    if depth > _MAX_DEPTH:
        msg = f"elements nested deeper than {_MAX_DEPTH}"
        raise TooDeep(msg)
    for key, value in body.items():
        if value.__class__ is str and key.isidentifier() and _is_new(fields, key):
            fields[key] = value  # the common case
        elif key == _ATTRIBUTES:
            _attributes(fields, parent, value)
        elif key == _TEXT:
            _leaf(fields, parent, value)
        elif isinstance(value, dict):
            _element(fields, _base_name(key, body), value, depth + 1)
        else:
            _leaf(fields, _base_name(key, body), value)


def _is_new(fields: dict[str, Value], key: str) -> bool:
    return key not in fields and key[-1] not in _DIGITS


def _leaf(fields: dict[str, Value], name: str, value: Any) -> None:
    canonical = canonical_list(value) if isinstance(value, list) else canonical_scalar(value)
    name = name.strip()
    if canonical is not None and name:
        add_value(fields, name, canonical)


def _attributes(fields: dict[str, Value], parent: str, attributes: Any) -> None:
    for name, value in _mapping(attributes).items():
        if not name.startswith("xmlns"):
            _leaf(fields, f"{parent}_{name}", value)


def _base_name(key: str, siblings: Mapping[str, Any]) -> str:
    """Return ``Application`` for ``Application_2``, which is how the parser numbers repeats."""
    base, underscore, number = key.rpartition("_")
    if underscore and number.isascii() and number.isdigit() and base in siblings:
        return base
    return key
