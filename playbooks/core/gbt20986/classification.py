"""The classes and the level aid, read from data (``rules/policies/gbt20986.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Named:
    """A code, its official name, and the code of what it belongs to."""

    code: str
    text: Text
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Classification:
    """Classes, subclasses and levels by code; ``loss[object][grade]`` gives a level."""

    classes: Mapping[str, Named]
    levels: Mapping[str, Named]
    grades: Mapping[str, Named]
    objects: Mapping[str, Named]
    loss: Mapping[str, Mapping[str, str]]
    harm: Mapping[str, str]
    confirmed: bool

    def require_class(self, code: str) -> Named:
        """Return the class or subclass ``code``; raise ``Invalid`` for another."""
        if code not in self.classes:
            msg = f"GB/T 20986 knows no class {code!r}"
            raise Invalid(msg)
        return self.classes[code]

    def require_level(self, code: str) -> Named:
        """Return the level ``code``; raise ``Invalid`` for another."""
        if code not in self.levels:
            msg = f"{code!r} is not one of {', '.join(self.levels)}"
            raise Invalid(msg)
        return self.levels[code]

    def propose_level(self, target: str, loss: str, harm: str = "") -> str:
        """Return the graver of what the loss to ``target`` and the social ``harm`` give."""
        if target not in self.loss or loss not in self.loss[target]:
            msg = f"objects: {', '.join(self.objects)}; losses: {', '.join(self.grades)}"
            raise Invalid(msg)
        proposals = [self.loss[target][loss]]
        if harm:
            self.require_level(harm)
            proposals.append(self.harm[harm])
        return min(proposals, key=list(self.levels).index)


def _named(entries: list[dict[str, Any]], parent: str = "") -> dict[str, Named]:
    return {e["code"]: Named(e["code"], Text(e["zh"], e["en"]), parent) for e in entries}


def read_classification(data: Mapping[str, Any]) -> Classification:
    """Return the classification in ``data``; levels stand gravest first."""
    classes = _named(data["classes"])
    for entry in data["classes"]:
        classes |= _named(entry["subclasses"], entry["code"])
    return Classification(
        classes=classes,
        levels=_named(data["levels"]),
        grades=_named(data["grades"]),
        objects=_named(data["objects"]),
        loss=data["aid"]["loss"],
        harm=data["aid"]["harm"],
        confirmed=data["aid"]["status"] != "confirm",
    )
