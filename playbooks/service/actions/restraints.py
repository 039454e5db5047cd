"""What takes a subject out of use, and what gives it back: accounts, clients, keys, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from playbooks.errors import PlanChanged
from playbooks.models import PlannedStep, TargetState
from playbooks.models.runs import UNDO
from playbooks.ports import RestrainedKind
from playbooks.service.actions.calls import Call, Performed, Recovery
from playbooks.service.surroundings import Surroundings
from secops.kernel.containment import Contained
from secops.kernel.errors import NotFound, SecopsError

_MAX_NAME: Final = 300


@dataclass(frozen=True, slots=True)
class RestraintWords:
    """How an action is told: the argument that names its subject, and the state after it.

    ``target`` is the word before the subject's id: a step-up is demanded of an account.
    """

    kind: RestrainedKind
    argument: str
    target: str
    taken: str
    given: str


WORDS: Final[Mapping[str, RestraintWords]] = {
    "account.lock": RestraintWords("account", "account", "account", "locked", "active"),
    "account.require-step-up": RestraintWords(
        "step-up", "account", "account", "newer proof demanded", "no newer proof demanded"
    ),
    "client.suspend": RestraintWords("client", "client", "client", "suspended", "active"),
    "address.block": RestraintWords("address", "address", "address", "blocked", "allowed"),
    "key.suspend": RestraintWords("key", "key", "key", "suspended", "active"),
    "seal.suspend": RestraintWords("seal", "seal", "seal", "suspended", "active"),
}
"""By the action that takes away; its inverse has the same."""


class _Restraint:
    """What both directions share."""

    def __init__(self, surroundings: Surroundings, words: RestraintWords) -> None:
        self._s = surroundings
        self._words = words

    def _look(self, org_id: str, args: Mapping[str, str]) -> Contained:
        name = args[self._words.argument]
        found = None
        if name and len(name) <= _MAX_NAME:
            found = self._s.ports.containment.look(self._words.kind, org_id, name)
        if found is None:
            msg = f"no {self._words.argument} {name[:80]}"
            raise NotFound(msg)
        return found

    def _now(self, call: Call) -> Contained:
        return self._look(call.order.org_id, {self._words.argument: self._id(call)})

    def _id(self, call: Call) -> str:
        return call.target.target.removeprefix(f"{self._words.target}:")

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat: an order has one effect, however often it is given."""
        del step
        return "idempotent"


class TakeAway(_Restraint):
    """account.lock, key.suspend and the like: nobody uses the subject until it is given back."""

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the subject; the approval is bound to its state."""
        found = self._look(org_id, args)
        return (
            TargetState(
                target=f"{self._words.target}:{found.id}",
                label=found.name,
                version=found.state,
                before=found.state,
                after=self._words.taken,
                protected=found.protected,
            ),
        )

    def perform(self, call: Call) -> Performed:
        """Take it away and read it back; what can't be read may be there all the same."""
        self._s.ports.containment.restrain(self._words.kind, self._id(call), call.order)
        try:
            return Performed(self.holds(call))
        except SecopsError:
            return Performed(verified=False)

    def holds(self, call: Call) -> bool:
        """Tell whether it is held back."""
        return self._now(call).held


class GiveBack(_Restraint):
    """account.unlock, key.resume and the like: what was taken away may be used again.

    As the compensation of a step it lifts what that very step took and nothing else; alone it
    lifts all that was ordered, and what it would lift is what the approval is bound to.
    """

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the subject, and what holds it."""
        found = self._look(org_id, args)
        return (
            TargetState(
                target=f"{self._words.target}:{found.id}",
                label=f"{found.name} ({len(found.holders)})",
                version=_held_by(found),
                before=found.state,
                after=self._words.given,
            ),
        )

    def perform(self, call: Call) -> Performed:
        """Lift it and read it back; raise ``PlanChanged`` where something else holds it by now.

        Between the approval and the deed a run may wait for a person, for days.
        """
        if not call.order.undoes:
            seen = self._now(call)
            if seen.held and _held_by(seen) != call.target.version:
                msg = f"{call.target.target} is held by something else than what was approved"
                raise PlanChanged(msg)
        self._s.ports.containment.give_back(self._words.kind, self._id(call), call.order)
        return Performed(self.holds(call))

    def holds(self, call: Call) -> bool:
        """Tell whether it is free; of a compensation, whether it holds nothing any more."""
        if call.step.path.endswith(UNDO):
            containment, undoes = self._s.ports.containment, call.order.undoes
            return not containment.is_in_force(self._words.kind, self._id(call), undoes)
        return not self._now(call).held


def _held_by(seen: Contained) -> str:
    """Return what holds it, a person's word included: that is what giving back undoes."""
    return " ".join((seen.state, *(("beyond",) if seen.beyond else ()), *seen.holders))
