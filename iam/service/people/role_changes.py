"""Kinds of change about roles: whole sets of them, roles lent for hours, and emergencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from iam.core.exclusion import check_role
from iam.core.privileges import check_other_kind, check_privilege
from iam.errors import InvalidRequest, OwnRole, PrivilegeRefused
from iam.models.accounts import Account
from iam.models.changes import ChangeRequest
from iam.service.means import Means
from iam.service.people.roles import RoleService
from iam.service.persons import same_person
from iam.service.reach import reached_account
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import MINUTE
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import (
    AUDITOR_ASSIGN,
    EMERGENCY_APPROVE,
    PRIVILEGE_REQUEST,
    ROLE_ASSIGN,
    ROLE_REQUEST,
)
from secops.kernel.permissions.roles import AUDITOR
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_ROLES: Final = "roles"


def targeted_account(means: Means, tx: Transaction, actor: Actor, target: str) -> Account:
    """Return the account a change is about; raise ``InvalidRequest`` or ``NotFound``."""
    kind, _, identifier = target.partition(":")
    if kind != "account":
        msg = "the target is account:ID"
        raise InvalidRequest(msg)
    found = reached_account(means, tx, actor, identifier)
    if found.id != identifier:  # a name can pass to another account while the request waits
        msg = "the target is account:ID"
        raise InvalidRequest(msg)
    return found


@dataclass(frozen=True, slots=True)
class RoleChange:
    """``roles.change``: an account's roles become exactly those asked for."""

    name: ClassVar[str] = "roles.change"
    title: ClassVar[Text] = Text("变更角色", "Change roles")

    means: Means
    roles: RoleService

    def asking(self, after: Mapping[str, Any]) -> Permission:  # noqa: ARG002 - the port's
        """Return what it takes to ask."""
        return ROLE_REQUEST

    def approving(self, after: Mapping[str, Any]) -> Permission:
        """Return what it takes to approve: auditors are named by audit's own administrator."""
        return AUDITOR_ASSIGN if AUDITOR in after.get(_ROLES, ()) else ROLE_ASSIGN

    def before(self, tx: Transaction, actor: Actor, target: str) -> Mapping[str, Any]:
        """Return the roles held for good, sorted."""
        account = targeted_account(self.means, tx, actor, target)
        roles = self.means.stores.roles
        lent = roles.lent(tx, account.id)
        return {_ROLES: sorted(roles.of_subject(tx, account.id) - set(lent))}

    def check(self, tx: Transaction, actor: Actor, target: str, after: Mapping[str, Any]) -> None:
        """Raise ``InvalidRequest`` for no sorted list of roles, ``OwnRole`` for one's own."""
        wanted = after.get(_ROLES)
        texts = isinstance(wanted, list) and all(isinstance(role, str) for role in wanted)
        if set(after) != {_ROLES} or not texts or wanted != sorted(set(wanted or ())):
            msg = "roles is a sorted list of roles, each once"
            raise InvalidRequest(msg)
        for role in wanted or ():
            check_role(role, for_client=False)
        account = targeted_account(self.means, tx, actor, target)
        if same_person(self.means, tx, actor.id, account.id):
            raise OwnRole
        held = set(self.before(tx, actor, target)[_ROLES])
        if AUDITOR in held and AUDITOR not in (wanted or ()):
            msg = "an auditor is dismissed by the audit administrator alone (revoke-role)"
            raise InvalidRequest(msg)
        if AUDITOR in (wanted or ()) and AUDITOR not in held:
            msg = "an auditor is named by the audit administrator alone, with an end (assign-role)"
            raise InvalidRequest(msg)

    def apply(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> None:
        """Take what is to go first, then give: exclusions are judged on the outcome."""
        account = targeted_account(self.means, tx, actor, change.target)
        before, after = set(change.before[_ROLES]), set(change.after[_ROLES])
        given, taken = sorted(after - before), sorted(before - after)
        for role in taken:
            self.roles.take(tx, actor, account, role)
        for role in given:
            self.roles.grant(tx, actor, account, role)


@dataclass(frozen=True, slots=True)
class PrivilegeChange:
    """``roles.lend``: the requester gets a role for some minutes, given by another person."""

    name: ClassVar[str] = "roles.lend"
    title: ClassVar[Text] = Text("临时权限", "Lend a role")
    emergency: ClassVar[bool] = False

    means: Means
    roles: RoleService

    def asking(self, after: Mapping[str, Any]) -> Permission:  # noqa: ARG002 - the port's
        """Return what it takes to ask."""
        return PRIVILEGE_REQUEST

    def approving(self, after: Mapping[str, Any]) -> Permission:  # noqa: ARG002 - the port's
        """Return what it takes to approve."""
        return ROLE_ASSIGN

    def before(self, tx: Transaction, actor: Actor, target: str) -> Mapping[str, Any]:
        """Return nothing: what is lent was not there before; exclusions are judged when it is."""
        targeted_account(self.means, tx, actor, target)
        return {}

    def check(self, tx: Transaction, actor: Actor, target: str, after: Mapping[str, Any]) -> None:
        """Raise unless it is the caller's own account, and a role it does not hold yet."""
        role, _ = check_privilege(after, emergency=self.emergency)
        check_role(role, for_client=False)
        account = targeted_account(self.means, tx, actor, target)
        if account.id != actor.id:
            msg = "a privilege is asked for by who needs it"
            raise PrivilegeRefused(msg)
        if role in self.means.stores.roles.of_subject(tx, account.id):
            msg = f"the account is {role} already"
            raise InvalidRequest(msg)

    def apply(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> None:
        """Lend the role from now on; the person's sessions end, so that it counts anew."""
        role, length = check_privilege(change.after, emergency=self.emergency)
        account = targeted_account(self.means, tx, actor, change.target)
        self.roles.grant(tx, actor, account, role, expires_at=tx.now + length)
        tx.record(self._act(actor, change, (role, length)))

    def _act(self, actor: Actor, change: ChangeRequest, lent: tuple[str, int]) -> Act:
        role, length = lent
        details = {"role": role, "minutes": length // MINUTE, "change": change.id}
        return Act("iam.lend_role", actor, change.target, details=details)


@dataclass(frozen=True, slots=True)
class EmergencyChange(PrivilegeChange):
    """``roles.emergency``: an administrator's role for at most four hours, and an alert.

    It passes over who approves ordinarily, never over which roles exclude one another.
    """

    name: ClassVar[str] = "roles.emergency"
    title: ClassVar[Text] = Text("紧急权限", "Emergency privilege")
    emergency: ClassVar[bool] = True

    def approving(self, after: Mapping[str, Any]) -> Permission:  # noqa: ARG002 - the port's
        """Return what it takes to approve."""
        return EMERGENCY_APPROVE

    def apply(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> None:
        """Lend the role if the approver is of another kind than it and than the requester."""
        role, _ = check_privilege(change.after, emergency=True)
        requester = self.means.stores.roles.of_subject(tx, change.requester_id)
        check_other_kind(role, requester, actor.roles)
        PrivilegeChange.apply(self, tx, actor, change)

    def _act(self, actor: Actor, change: ChangeRequest, lent: tuple[str, int]) -> Act:
        role, length = lent
        details = {
            "role": role,
            "minutes": length // MINUTE,
            "change": change.id,
            "requester": change.requester_id,
            "reason": change.reason,
            "alert": True,
        }
        return Act("iam.emergency_override", actor, change.target, details=details)
