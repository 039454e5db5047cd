"""Schemes of real-name levels: what a province's number stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from secops.kernel.catalogue import Text

MAX_SCHEMES_TEXT: Final = 262_144
"""Characters of a file of schemes."""
SELF_DECLARED: Final = 2
TWO_ELEMENTS: Final = 3
DOCUMENT: Final = 4
CERTIFICATE: Final = 5
MEANINGS: Final[Mapping[str, int]] = {
    "self_declared": SELF_DECLARED,
    "two_elements": TWO_ELEMENTS,
    "document": DOCUMENT,
    "certificate": CERTIFICATE,
}
"""What a level can stand for, on our own ladder: policies compare these numbers."""
NO_DEMAND: Final = "none"
DEMANDS: Final[Mapping[str, int]] = {NO_DEMAND: 0, **MEANINGS}
"""What an application can demand of the people who sign in to it."""
LEVEL_TEXTS: Final[Mapping[int, Text]] = {
    SELF_DECLARED: Text("自行申报", "self-declared"),
    TWO_ELEMENTS: Text("姓名与号码二要素核验", "name and number verified"),
    DOCUMENT: Text("人证核验", "person and document verified"),
    CERTIFICATE: Text("电子认证证书或窗口核验", "certificate, or verified at a counter"),
}
"""How people read a level; one below these stands for nobody having verified anything."""


@dataclass(frozen=True, slots=True)
class RealNameScheme:
    """One scheme; ``rungs`` maps its numbers to our ladder."""

    id: str
    title: Text
    source: str
    rungs: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class RealNameSchemes:
    """All schemes that are known; what is not known stands for nothing."""

    known: Mapping[str, RealNameScheme] = field(default_factory=dict)

    def rung(self, scheme: str, level: int) -> int:
        """Return what ``level`` of ``scheme`` stands for on our ladder, 0 for nothing."""
        found = self.known.get(scheme)
        return 0 if found is None else found.rungs.get(level, 0)
