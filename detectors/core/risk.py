"""The risk of an entity: an open formula over its open alerts.

An alert of severity risk r (20, 40, 70 or 90 of 100) that the platform learnt of at t weighs
w = r/100 · 2^(-(now - t)/H) with the half-life H of seven days: what nobody looked at counts
less with time, and never quite nothing before it rounds to 0. Independent hints add up as
chances do: s = 1 - Π(1 - w). The criticality c of the entity (1 by default, 0.5 to 4) says
how much is at stake: risk = round(100 · (1 - (1 - s)^c)).

Hints add up to 79 at most while none of them alone weighs 0.8: from 80 on policies refuse, and
whoever can provoke many small alerts about an account (wrong passwords under its name) must not
be able to lock its owner out. One critical alert does.

Worked example: a high alert (70) today and a medium one (40) seven days ago weigh 0.7 and
0.2; s = 1 - 0.3 · 0.8 = 0.76, risk 76. A critical one (90) and the same medium one weigh 0.9 and
0.2; s = 1 - 0.1 · 0.8 = 0.92, risk 92; with criticality 2 it is 100 · (1 - 0.08²) = 99.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from detectors.models.triage import Hint
from secops.kernel.clock import DAY

HALF_LIFE: Final = 7 * DAY
LEAST_CRITICALITY: Final = 0.5
GREATEST_CRITICALITY: Final = 4.0
WHOLE: Final = 100
REFUSING: Final = 80
"""From this risk on the policies refuse (``rules/policies/access.cedar``)."""


def weight(hint: Hint, now: int) -> float:
    """Return what is left of a hint at ``now``, 0 to 1."""
    age = max(0, now - hint.at)
    return float(hint.risk / WHOLE * 2.0 ** (-age / HALF_LIFE))


def entity_risk(hints: Iterable[Hint], now: int, criticality: float = 1.0) -> int:
    """Return the risk of an entity, 0 to 100."""
    calm, gravest = 1.0, 0.0
    for hint in hints:
        share = min(1.0, weight(hint, now))
        calm *= 1.0 - share
        gravest = max(gravest, share)
    risk = round(WHOLE * (1.0 - float(calm**criticality)))
    return risk if gravest * WHOLE >= REFUSING else min(risk, REFUSING - 1)
