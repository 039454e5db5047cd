"""Members of an incident: lead, analysts, observers."""

from __future__ import annotations

from playbooks.core.membership import require_deed, require_member_change
from playbooks.models.incident_work import MEMBER_ROLES, Member, MemberRole
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.permissions.playbooks import INCIDENT_CHANGE, INCIDENT_STAFF
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


class MemberService:
    """Says who works on an incident, and as what."""

    def __init__(self, surroundings: Surroundings, rights: IncidentRights) -> None:
        self._s = surroundings
        self._rights = rights

    def set_member(self, actor: Actor, incident_id: str, account: str, role: MemberRole) -> Member:
        """Make ``account`` (id or name) a member, or give a member another role.

        By the lead; by a security administrator where the lead is away. The last lead stays.
        """
        target = f"incident:{incident_id}"
        self._s.parts.access.require(actor, INCIDENT_STAFF, target)
        person = self._rights.person(actor, account)

        def work(tx: Transaction) -> Member:
            members = self._allowed(tx, actor, incident_id)
            require_member_change(members, person.id, role)
            member = Member(
                incident_id, person.id, actor.org_id, person.name, role, actor.id, tx.now
            )
            self._s.stores.work.set_member(tx, member)
            text = f"成员 {person.name}:{MEMBER_ROLES[role].zh}"
            place = (actor.org_id, incident_id)
            self._s.tell(tx, actor, place, "member", text, account_id=person.id, role=role)
            details = {"account_id": person.id, "role": role}
            tx.record(Act("playbooks.set_member", actor, target, details=details))
            return member

        with self._rights.refusals("set_member", actor, incident_id):
            return self._s.parts.transactions.run(work)

    def remove_member(self, actor: Actor, incident_id: str, account: str) -> None:
        """Remove a member; raise ``MemberRefused`` for the last lead or a stranger."""
        target = f"incident:{incident_id}"
        self._s.parts.access.require(actor, INCIDENT_STAFF, target)
        person = self._rights.person(actor, account)

        def work(tx: Transaction) -> None:
            require_member_change(self._allowed(tx, actor, incident_id), person.id, None)
            self._s.stores.work.remove_member(tx, actor.org_id, incident_id, person.id)
            place = (actor.org_id, incident_id)
            self._s.tell(
                tx, actor, place, "member", f"移出成员 {person.name}", account_id=person.id
            )
            details = {"account_id": person.id}
            tx.record(Act("playbooks.remove_member", actor, target, details=details))

        with self._rights.refusals("remove_member", actor, incident_id):
            self._s.parts.transactions.run(work)

    def _allowed(self, tx: Transaction, actor: Actor, incident_id: str) -> dict[str, MemberRole]:
        self._s.stores.incidents.get(tx, actor.org_id, incident_id)
        members = self._rights.roles(tx, actor.org_id, incident_id)
        if actor.may(INCIDENT_CHANGE):
            require_deed(members, actor.id, "staff")
        return members
