"""Who may do what in an incident, beyond the rights of their role; and who is meant by a name."""

from __future__ import annotations

from contextlib import AbstractContextManager

from playbooks.core.membership import require_deed
from playbooks.errors.custody import PersonNotFound
from playbooks.models.incident_work import Deed, MemberRole
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.containment import Contained
from secops.kernel.transactions import Transaction


class IncidentRights:
    """Asks membership; the service has asked the role before."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def roles(self, tx: Transaction, org_id: str, incident_id: str) -> dict[str, MemberRole]:
        """Return the members' roles by account."""
        found = self._s.stores.work.members(tx, org_id, incident_id)
        return {member.account_id: member.role for member in found}

    def require(self, tx: Transaction, actor: Actor, incident_id: str, deed: Deed) -> None:
        """Return if ``actor`` may; raise ``IncidentNotFound`` or ``MemberRoleRefused``."""
        self._s.stores.incidents.get(tx, actor.org_id, incident_id)
        require_deed(self.roles(tx, actor.org_id, incident_id), actor.id, deed)

    def refusals(self, verb: str, actor: Actor, incident_id: str) -> AbstractContextManager[None]:
        """Enter a refusal of ``verb`` in the ledger, and let it go on."""
        target = f"incident:{incident_id}"
        return refusals_recorded(self._s.parts, f"playbooks.{verb}", actor, target)

    def person(self, actor: Actor, name: str) -> Contained:
        """Return the account of this name or id in the caller's organisation."""
        found = self._s.ports.containment.look("account", actor.org_id, name.strip()[:200])
        if found is None:
            msg = f"no account {name[:60]!r}"
            raise PersonNotFound(msg)
        return found
