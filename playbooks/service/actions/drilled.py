"""What a playbook does in a drill: it takes nothing away but from the drill's own accounts."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.errors import IncidentNotFound
from playbooks.errors.drills import DrillUnknown
from playbooks.models import PlannedStep, TargetState
from playbooks.models.drills import DRILL_RULE
from playbooks.service.actions.calls import Action, Call, Performed, Recovery
from playbooks.service.surroundings import Surroundings
from secops.kernel.transactions import Transaction


class Drilled:
    """An action that in a drill's incident is only told as done, ``simulated`` in its details.

    Accounts that the approved plan of the drill names are really locked and given back.
    """

    def __init__(self, surroundings: Surroundings, action: Action) -> None:
        self._s = surroundings
        self._action = action

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the targets as they are now."""
        return self._action.inspect(org_id, args)

    def recovery(self, step: PlannedStep) -> Recovery:
        """Return what may be done when the outcome of a call was lost."""
        return self._action.recovery(step)

    def perform(self, call: Call) -> Performed:
        """Act, or in a drill say so and do nothing."""
        if self._is_simulated(call):
            return Performed(verified=True, details={"simulated": "drill"})
        return self._action.perform(call)

    def holds(self, call: Call) -> bool:
        """Read back; what was only simulated holds."""
        return self._is_simulated(call) or self._action.holds(call)

    def _is_simulated(self, call: Call) -> bool:
        return self._s.parts.transactions.read(lambda tx: self._look(tx, call))

    def _look(self, tx: Transaction, call: Call) -> bool:
        s, order = self._s, call.order
        try:
            incident = s.stores.incidents.get(tx, order.org_id, order.incident_id)
        except IncidentNotFound:
            return False
        if not incident.drill:
            return False
        kind, _, identifier = call.target.target.partition(":")
        return kind != "account" or identifier not in self._accounts(tx, call)

    def _accounts(self, tx: Transaction, call: Call) -> set[str]:
        s, order = self._s, call.order
        found: set[str] = set()
        for link in s.stores.incidents.links(tx, order.org_id, order.incident_id):
            if link.rule_id.startswith(DRILL_RULE):
                drill_id = link.rule_id.removeprefix(DRILL_RULE)
                try:
                    drill = s.stores.drills.get(tx, order.org_id, drill_id)
                except DrillUnknown:
                    continue
                if drill.state in ("running", "ended"):  # what was taken is given back later
                    found |= set(drill.plan.accounts)
        return found
