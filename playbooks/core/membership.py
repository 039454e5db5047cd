"""What the members of an incident may do in it. Rights of the role stand before this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from playbooks.errors.custody import MemberRefused, MemberRoleRefused
from playbooks.models.incident_work import MEMBER_ROLES, Deed, MemberRole
from secops.kernel.errors import Invalid

_MAY: Final[Mapping[MemberRole, frozenset[Deed]]] = {
    "lead": frozenset(("work", "judge", "close", "staff")),
    "analyst": frozenset(("work", "judge")),
    "observer": frozenset(),
}
MAX_MEMBERS: Final = 50


def require_deed(members: Mapping[str, MemberRole], account_id: str, deed: Deed) -> None:
    """Return if ``account_id`` may do it; raise ``MemberRoleRefused``.

    While nobody leads the incident, everybody whose role works on incidents may: one that
    opened by itself waits for nobody.
    """
    if "lead" not in members.values():
        return
    role = members.get(account_id)
    if role is None or deed not in _MAY[role]:
        msg = f"{role or 'no member'} may not: {deed}"
        raise MemberRoleRefused(msg, role=role or "", deed=deed)


def require_member_change(
    members: Mapping[str, MemberRole], account_id: str, role: MemberRole | None
) -> None:
    """Return if the member may get ``role`` (None: be removed); raise ``MemberRefused``.

    The last lead stays one: an incident that was led is not left to everybody again.
    """
    if role is not None and role not in MEMBER_ROLES:
        msg = f"roles are {', '.join(MEMBER_ROLES)}"
        raise Invalid(msg)
    if role is None and account_id not in members:
        msg = "they are no member"
        raise MemberRefused(msg)
    leads = [one for one, held in members.items() if held == "lead"]
    if leads == [account_id] and role != "lead":
        msg = "they are the only lead"
        raise MemberRefused(msg)
    if account_id not in members and len(members) >= MAX_MEMBERS:
        msg = f"an incident has at most {MAX_MEMBERS} members"
        raise MemberRefused(msg)
