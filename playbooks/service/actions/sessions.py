"""session.revoke: every live session of an account ends."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.models import PlannedStep, TargetState
from playbooks.service.actions.calls import Call, Performed, Recovery
from playbooks.service.surroundings import Surroundings
from secops.kernel.containment import Contained
from secops.kernel.errors import NotFound


class RevokeSessions:
    """session.revoke: every live session of an account ends."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def _account(self, org_id: str, name: str) -> Contained:
        account = self._s.ports.containment.look("account", org_id, name)
        if account is None:
            msg = f"no account {name[:80]}"
            raise NotFound(msg)
        return account

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat: ending what is ended changes nothing."""
        del step
        return "idempotent"

    @staticmethod
    def _id(call: Call) -> str:
        return call.target.target.removeprefix("account:")

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the account and its sessions.

        The approval is bound to the account, not to its sessions: an attacker who signs
        in once more must not void it.
        """
        account = self._account(org_id, args["account"])
        count = len(self._s.ports.containment.sessions_of(account.id))
        return (
            TargetState(
                target=f"account:{account.id}",
                label=f"{account.name} ({count})",
                version="any",
                before="live sessions",
                after="no live session",
                protected=account.protected,
            ),
        )

    def perform(self, call: Call) -> Performed:
        """End the sessions and look whether those that were there are gone."""
        containment = self._s.ports.containment
        before = frozenset(containment.sessions_of(self._id(call)))
        count = containment.revoke_sessions(self._id(call), call.order)
        left = before & frozenset(containment.sessions_of(self._id(call)))
        return Performed(not left, {"revoked": count})

    def holds(self, call: Call) -> bool:
        """Tell whether the account has no live session."""
        return not self._s.ports.containment.sessions_of(self._id(call))
