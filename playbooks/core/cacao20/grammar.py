"""Small checks that are put together to the shape of a playbook.

A check looks at a value and notes what is wrong with it, with the place; it never raises,
whatever the value is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playbooks.core.cacao20.problems import Findings, pointer
from playbooks.core.cacao20.vocabulary import IDENTIFIER, TIMESTAMP

Check = Callable[[Any, str, Findings], None]


def _type_name(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _wrong(value: Any, wanted: str, place: str, findings: Findings) -> None:
    findings.add("wrong_type", place, f"{_type_name(value)}, not {wanted}")


def anything(value: Any, place: str, findings: Findings) -> None:
    """Any JSON value."""
    del value, place, findings


def text(value: Any, place: str, findings: Findings) -> None:
    """Check a string."""
    if not isinstance(value, str):
        _wrong(value, "string", place, findings)


def text_or_null(value: Any, place: str, findings: Findings) -> None:
    """Check a string or null."""
    if value is not None and not isinstance(value, str):
        _wrong(value, "string or null", place, findings)


def boolean(value: Any, place: str, findings: Findings) -> None:
    """Check true or false."""
    if not isinstance(value, bool):
        _wrong(value, "boolean", place, findings)


def integer(low: int, high: int) -> Check:
    """Check a whole number from ``low`` to ``high``."""

    def check(value: Any, place: str, findings: Findings) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            _wrong(value, "integer", place, findings)
        elif not low <= value <= high:
            findings.add("out_of_range", place, f"{value} is not in {low}..{high}")

    return check


def one_of(*allowed: str) -> Check:
    """Check one of the strings ``allowed``."""

    def check(value: Any, place: str, findings: Findings) -> None:
        if not isinstance(value, str):
            _wrong(value, "string", place, findings)
        elif value not in allowed:
            findings.add("bad_value", place, value)

    return check


def identifier(*kinds: str) -> Check:
    """Check ``type--UUID``, of one of ``kinds`` where given."""

    def check(value: Any, place: str, findings: Findings) -> None:
        if not isinstance(value, str):
            _wrong(value, "string", place, findings)
            return
        match = IDENTIFIER.fullmatch(value)
        if match is None or (kinds and match[1] not in kinds):
            findings.add("bad_identifier", place, value)

    return check


def timestamp(value: Any, place: str, findings: Findings) -> None:
    """Check a UTC time that ends in Z."""
    if not isinstance(value, str):
        _wrong(value, "string", place, findings)
        return
    match = TIMESTAMP.fullmatch(value)
    if match is None:
        findings.add("bad_timestamp", place, value)
    elif len(match[1] or "") > len("123"):
        findings.add("microseconds", place, value)


def array(item: Check, least: int = 0) -> Check:
    """Check a list of at least ``least`` items."""

    def check(value: Any, place: str, findings: Findings) -> None:
        if not isinstance(value, list):
            _wrong(value, "array", place, findings)
            return
        if len(value) < least:
            findings.add("out_of_range", place, f"{len(value)} items, at least {least}")
        for number, member in enumerate(value):
            item(member, pointer(place, number), findings)

    return check


def mapping(key: re.Pattern[str], item: Check) -> Check:
    """Check an object whose keys match ``key`` and whose values pass ``item``."""

    def check(value: Any, place: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            _wrong(value, "object", place, findings)
            return
        for name, member in value.items():
            below = pointer(place, name)
            if key.fullmatch(name) is None:
                findings.add("bad_key", below, name)
            item(member, below, findings)

    return check


@dataclass(frozen=True, slots=True)
class Record:
    """Check an object with a closed set of keys. ``unknown`` is what another key is called.

    With ``unknown`` empty other keys pass.
    """

    fields: Mapping[str, Check]
    required: frozenset[str] = field(default_factory=frozenset)
    unknown: str = "unknown_key"

    def __call__(self, value: Any, place: str, findings: Findings) -> None:
        """Note what is wrong with ``value``."""
        if not isinstance(value, dict):
            _wrong(value, "object", place, findings)
            return
        for name in sorted(self.required - value.keys()):
            findings.add("missing_key", place, name)
        for name, member in value.items():
            check = self.fields.get(name)
            if check is not None:
                check(member, pointer(place, name), findings)
            elif self.unknown:
                findings.add(self.unknown, pointer(place, name), self._near(name))

    def _near(self, name: str) -> str:
        close = difflib.get_close_matches(name[:60], self.fields, 1)
        return f"{name[:60]} (→ {close[0]}?)" if close else name

    def plus(self, fields: Mapping[str, Check], *required: str) -> Record:
        """Return the record with more fields."""
        return Record({**self.fields, **fields}, self.required | set(required), self.unknown)
