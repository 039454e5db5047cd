"""Sigma strings as questions: literals and wildcards of pySigma become atoms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Final

from sigma.types import Placeholder, SigmaString, SpecialChars

from detectors.core.events.text import fold
from detectors.core.sigma.tree import Atom, Gap, Operation, Pattern, Present, Text

Parts = tuple[str | Gap, ...]
Lists = Mapping[str, Sequence[str]]
"""The values of placeholders, by name."""

NO_LISTS: Final[Lists] = {}
MAX_VALUES: Final = 10_000

_GAPS: Final = {SpecialChars.WILDCARD_MULTI: Gap.RUN, SpecialChars.WILDCARD_SINGLE: Gap.ONE}
_OPERATIONS: Final[dict[tuple[bool, bool], Operation]] = {
    (False, False): "equals",
    (True, False): "endswith",
    (False, True): "startswith",
    (True, True): "contains",
}


class TooMany(ValueError):
    """A value with placeholders stands for more texts than any rule needs."""


class PlaceholderFound(ValueError):
    """A ``%placeholder%`` of the ``expand`` modifier: no list of values is known for it."""


def expanded(string: SigmaString, lists: Lists) -> list[SigmaString]:
    """Return ``string`` once per combination of its placeholders' values.

    Values are Sigma strings themselves: their wildcards live. Raises ``PlaceholderFound`` for
    a list that is unknown or empty, and ``TooMany`` above 10,000.
    """
    found = [string]
    for name in dict.fromkeys(part.name for part in string.s if isinstance(part, Placeholder)):
        values = lists.get(name, ())
        if not values:
            msg = f"no values are known for the placeholder %{name}%"
            raise PlaceholderFound(msg)
        if len(found) * len(values) > MAX_VALUES:
            msg = f"the placeholders of one value stand for more than {MAX_VALUES} texts"
            raise TooMany(msg)
        found = [_filled(each, name, value) for each in found for value in values]
    return found


def _filled(string: SigmaString, name: str, value: str) -> SigmaString:
    filled = copy(string)
    parts = [
        inner
        for part in string.s
        for inner in (
            SigmaString(value).s if isinstance(part, Placeholder) and part.name == name else (part,)
        )
    ]
    filled.s = parts
    return filled


def parts_of(string: SigmaString) -> Parts:
    """Return the parts of ``string``, runs of ``*`` merged; raise ``PlaceholderFound``."""
    parts: list[str | Gap] = []
    for part in string.s:
        if isinstance(part, Placeholder):
            msg = f"no values are known for the placeholder %{part.name}%"
            raise PlaceholderFound(msg)
        if isinstance(part, str):
            if parts and isinstance(parts[-1], str):  # utf16 leaves its mark apart
                parts[-1] += part
            else:
                parts.append(part)
        elif _GAPS[part] is Gap.ONE or not parts or parts[-1] is not Gap.RUN:
            parts.append(_GAPS[part])
    return tuple(parts)


def as_contains(parts: Parts) -> Parts:
    """Return ``parts`` open at both ends: what a keyword without a field means."""
    head: Parts = () if parts[:1] == (Gap.RUN,) else (Gap.RUN,)
    tail: Parts = () if parts and parts[-1] is Gap.RUN else (Gap.RUN,)
    return (Gap.RUN,) if not parts else head + parts + tail


def string_atom(field: str, parts: Parts, *, cased: bool) -> Atom:
    """Return the cheapest atom that asks whether ``field`` as a whole fits ``parts``."""
    if not cased:
        parts = tuple(part if isinstance(part, Gap) else fold(part) for part in parts)
    if parts == (Gap.RUN,):
        return Present(field)
    opened = parts[:1] == (Gap.RUN,)
    closed = parts[-1:] == (Gap.RUN,)
    inner = parts[opened : len(parts) - closed]
    if len(inner) <= 1 and not any(isinstance(part, Gap) for part in inner):
        literal = "".join(part for part in inner if isinstance(part, str))
        return Text(field, _OPERATIONS[opened, closed], literal, cased)
    return Pattern(field, parts, cased)
