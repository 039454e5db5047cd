"""What an action is: it looks first, acts once, and reads back.

To add one, see docs/manual/add_a_playbook_action.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from playbooks.models import PlannedStep, TargetState
from playbooks.ports import Order

Recovery = Literal["idempotent", "readable", "neither"]
"""What may be done after a crash between call and outcome: repeat, read back, ask."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the step, its target, and on whose authority."""

    step: PlannedStep
    target: TargetState
    order: Order


@dataclass(frozen=True, slots=True)
class Performed:
    """What came out. ``verified`` tells that the effect was read back.

    ``outputs`` go into the variables that the step's out_args name, and nowhere else.
    """

    verified: bool
    details: Mapping[str, str | int] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


class Action(Protocol):
    """One action of the profile."""

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the targets as they are now; changes nothing."""
        ...

    def recovery(self, step: PlannedStep) -> Recovery:
        """Return what may be done when the outcome of a call was lost."""
        ...

    def perform(self, call: Call) -> Performed:
        """Act once for ``call.order.key``; raise ``SecopsError``, ``EffectUnknown`` if lost."""
        ...

    def holds(self, call: Call) -> bool:
        """Read back whether the effect is there."""
        ...
