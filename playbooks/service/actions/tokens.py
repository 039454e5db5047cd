"""token.revoke: one token, or all that a refresh family gives, ends for good."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.models import PlannedStep, TargetState
from playbooks.service.actions.calls import Call, Performed, Recovery
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import ROOT_ORG
from secops.kernel.errors import NotFound


class RevokeToken:
    """A token is named by its ``jti``; nobody needs to hold the token itself."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the token's name; raise ``Invalid`` for what names none.

        Tokens are kept nowhere, so nobody can say whose one is: only the root organisation's
        incidents end them.
        """
        if org_id != ROOT_ORG:
            msg = "tokens are ended by incidents of the root organisation"
            raise NotFound(msg)
        name = args["token"]
        ended = self._s.ports.containment.is_token_revoked(name)
        return (TargetState(f"token:{name}", name, "any", "ended" if ended else "", "ended"),)

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat: ending what is ended changes nothing."""
        del step
        return "idempotent"

    def perform(self, call: Call) -> Performed:
        """End it and read it back."""
        self._s.ports.containment.revoke_token(self._id(call), call.order)
        return Performed(self.holds(call))

    def holds(self, call: Call) -> bool:
        """Tell whether it is ended."""
        return self._s.ports.containment.is_token_revoked(self._id(call))

    @staticmethod
    def _id(call: Call) -> str:
        return call.target.target.removeprefix("token:")
