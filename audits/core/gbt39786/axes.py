"""D, A and K of an object, as far as a machine's observations tell.

Each observation speaks for one of the three, by its fact: facts about algorithms for A, facts
about keys and where they are kept for K, all others for whether cryptography is in effect, D.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from audits.models.assessments import ObjectVerdict
from audits.models.evidence import Observation

Axis = Literal["D", "A", "K"]
_ALGORITHMS: Final = ("algorithm", "approved", "profile", "suite", "cipher", "curve")
_KEYS: Final = ("custody", "kms.key", "rotation", "rotated", "key_age", "module", "damaged")
BITS: Final = "least_bits"
"""The fact, of any kind of evidence, that tells the strength of the weakest algorithm in use."""
_ANY_BITS: Final = 1_024
SOFTWARE: Final = ("kms.custody/hardware", "kms.custody/certified_module")
"""Facts that say, where they fail, that keys are in software: no certificate helps them."""


@dataclass(frozen=True, slots=True)
class Axes:
    """D, A and K; None where nobody knows. ``bits`` and ``module_level`` as in CryptoObject.

    ``software`` says that a machine saw the keys in software.
    """

    effective: bool | None = None
    approved: bool | None = None
    managed: bool | None = None
    bits: int = 0
    module_level: int = 0
    software: bool = False

    def answered(self, values: Mapping[str, Any]) -> Axes:
        """Return the axes with a person's answers, which can't raise what was seen failing."""
        return replace(
            self,
            effective=_and(self.effective, values["effective"]),
            approved=_and(self.approved, values["approved"]),
            managed=_and(self.managed, values["managed"]),
            bits=min(self.bits or _ANY_BITS, int(values["bits"]) or self.bits),
            module_level=0 if self.software else int(values["module_level"]),
        )


def axis_of(fact: str) -> Axis:
    """Return the axis that an observation of ``fact`` speaks for."""
    if any(word in fact for word in _ALGORITHMS):
        return "A"
    return "K" if any(word in fact for word in _KEYS) else "D"


def axes_of(view: ObjectVerdict) -> Axes:
    """Return what a machine's observations say of an object."""
    by_axis: dict[Axis, list[Observation]] = {"D": [], "A": [], "K": []}
    for seen in view.observations:
        by_axis[axis_of(seen.fact)].append(seen)
    return Axes(
        effective=_all(by_axis["D"]),
        approved=_all(by_axis["A"]),
        managed=_all(by_axis["K"]),
        bits=_bits(view),
        software=any(not seen.ok and seen.fact in SOFTWARE for seen in view.observations),
    )


def _bits(view: ObjectVerdict) -> int:
    """Return the strength of the weakest algorithm that the evidence names, 0 where none does."""
    named = [snapshot.facts.get(BITS) for snapshot in view.evidence]
    return min((bits for bits in named if isinstance(bits, int)), default=0)


def _all(observations: Sequence[Observation]) -> bool | None:
    return all(seen.ok for seen in observations) if observations else None


def _and(seen: bool | None, said: bool) -> bool:  # noqa: FBT001 - one axis and what is said of it
    return said if seen is None else seen and said
