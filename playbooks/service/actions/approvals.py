"""approval.wait: the run goes on when somebody with the named permission allows it."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.errors import NotYetRunnable
from playbooks.models import PlannedStep, TargetState
from playbooks.service.actions.calls import Call, Performed, Recovery
from secops.kernel.permissions import Permission, roles_with


class WaitForApproval:
    """The step's own approval is what it waits for: it is bound, asked, and then done."""

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return whose word is waited for; raise ``NotYetRunnable`` where nobody can say it."""
        del org_id
        permission = args["permission"]
        holders = sorted(roles_with(Permission(permission)))
        if not holders:
            msg = f"no role holds the permission {permission[:80]}"
            raise NotYetRunnable(msg)
        label = f"{permission} ({', '.join(holders)})"
        return (TargetState(f"approval:{permission}", label, "any", "", "approved"),)

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat: it does nothing itself."""
        del step
        return "idempotent"

    def perform(self, call: Call) -> Performed:
        """Go on: the runner makes this call only after the approval stands in the journal."""
        del call
        return Performed(verified=True)

    def holds(self, call: Call) -> bool:
        """Return True: without the approval there is no call."""
        del call
        return True
