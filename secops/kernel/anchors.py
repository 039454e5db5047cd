"""Anchors: what an event must show at least to be worth a look.

An anchor may hold for more events than are wanted, never for fewer: a log store may leave out
whatever an anchor excludes, and the engine decides on the rest. Fields go by their *key* (one
key for all names that a question may read), texts are folded.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Anything:
    """Every event."""


@dataclass(frozen=True, slots=True)
class Has:
    """There is a value under ``key``."""

    key: str


@dataclass(frozen=True, slots=True)
class Fits:
    """A folded text under ``key`` holds ``parts`` in this order, anything between them.

    With ``starts`` it begins with the first part, with ``ends`` it ends with the last; one
    part with both is the whole text.
    """

    key: str
    parts: tuple[str, ...]
    starts: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """An address under ``key`` lies in the network ``cidr``."""

    key: str
    cidr: str


@dataclass(frozen=True, slots=True)
class Between:
    """A number under ``key`` is from ``low`` to ``high``, as doubles; None is open."""

    key: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class During:
    """The event's time is from ``low`` to ``high``, UTC microseconds; None is open."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of ``children``."""

    children: tuple[Anchor, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Any of ``children``; none of them is no event."""

    children: tuple[Anchor, ...]


Anchor = Anything | Has | Fits | Within | Between | During | AllOf | AnyOf

ANYTHING = Anything()


def all_of(children: tuple[Anchor, ...]) -> Anchor:
    """Join by AND; what says nothing is left out."""
    telling = tuple(dict.fromkeys(each for each in children if not isinstance(each, Anything)))
    if len(telling) == 1:
        return telling[0]
    return AllOf(telling) if telling else ANYTHING


def any_of(children: tuple[Anchor, ...]) -> Anchor:
    """Join by OR; with one that says nothing nothing is said."""
    if any(isinstance(each, Anything) for each in children):
        return ANYTHING
    different = tuple(dict.fromkeys(children))
    return different[0] if len(different) == 1 else AnyOf(different)
