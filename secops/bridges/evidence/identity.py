"""Evidence on identity: accounts, rules, factors, roles, who leaves, sign-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.models.evidence import Fact
from iam.service import IamServices
from secops.bridges.evidence.acts import Acts
from secops.bridges.evidence.looking import Look, Looks, Sight, holders_of, of_events, sign_ins_of
from secops.kernel.clock import DAY, MINUTE, SECOND
from secops.kernel.permissions import permissions_of
from secops.kernel.permissions.roles import (
    ADMINISTRATORS,
    AUDIT_ADMIN,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
)

DEMO: Final = "iam.create_demo_account"
_LOG_DAYS: Final = 30
_WRONG: Final = "event.action:iam.sign_in AND event.outcome:failure AND details.step:password"
_ALLOWANCE: Final = 4
"""Half an hour of ours may hold the ends of two of the lockout's, and a known device's tries."""


class IdentityEvidence:
    """Looks at the organisation's identities; counts alone leave the plane."""

    def __init__(self, iam: IamServices, acts: Acts) -> None:
        self._iam = iam
        self._acts = acts

    @property
    def looks(self) -> Looks:
        """What can be looked for."""
        return {
            "iam.users": self._users,
            "iam.password_policy": self._password_policy,
            "iam.lockout_policy": self._lockout,
            "iam.auth_log": self._sign_ins,
            "iam.mfa": self._factors,
            "iam.roles": self._roles,
            "iam.sod": self._separation,
            "iam.leaver": self._leavers,
            "change.record": self._changes,
            "iam.policy": self._policies,
        }

    def _standing(self, look: Look) -> Mapping[str, int]:
        def ask() -> Mapping[str, int]:
            demo = {row.target.removeprefix("account:") for row in self._acts.rows(look, (DEMO,))}
            return self._iam.evidence.standing(look.actor.org_id, demo)

        return look.once("iam.standing", ask)

    def _users(self, look: Look) -> Sight:
        users = self._iam.evidence.users_state(look.actor.org_id)
        standing = self._standing(look)
        facts: dict[str, Fact] = {
            "accounts": users.accounts,
            "without_role": self._without_role(look, users.active),
            "passwords_expired": users.passwords_expired,
            "stale": users.stale,
            "shared": users.shared_persons,
        }
        names = (
            "default_accounts",
            "named_by_default",
            "repeated_names",
            "without_credential",
            "services",
            "services_without_owner",
            "services_without_end",
            "services_expired",
        )
        facts |= {name: standing[name] for name in names}
        return Sight(facts, "accounts of the organisation", link="/accounts")

    def _without_role(self, look: Look, active: int) -> int:
        held = holders_of(look, self._iam)
        with_role = [name for name, roles in held.items() if roles and name.startswith("acc_")]
        return max(0, active - len(with_role))

    def _password_policy(self, _look: Look) -> Sight:
        policy = self._iam.evidence.policy_state()
        facts: dict[str, Fact] = {
            "least_length": policy.least_length,
            "classes": policy.classes,
            "age_days": policy.password_age_days,
            "history": policy.history,
            "weak_list_size": policy.weak_list_size,
        }
        return Sight(facts, "password rules in force", link="/policies")

    def _lockout(self, _look: Look) -> Sight:
        lockout, policy = self._iam.evidence.lockout_state(), self._iam.evidence.policy_state()
        facts: dict[str, Fact] = {
            "failures": lockout.failures,
            "minutes": lockout.minutes,
            "idle_seconds": policy.session_idle_seconds,
            "administrator_idle_seconds": policy.administrator_idle_seconds,
        }
        return Sight(facts, "limits on guessing and idle sessions in force", link="/policies")

    def _sign_ins(self, look: Look) -> Sight:
        limit = _ALLOWANCE * self._iam.evidence.lockout_state().failures
        window = look.since(_LOG_DAYS * DAY)
        facts: dict[str, Fact] = {}
        if look.own.is_there:
            tries = look.own.counts(_WRONG, window, "target", step=30 * MINUTE // SECOND)
            facts["wrong_passwords"] = tries.total()
            facts["guessed_past_limit"] = sum(number > limit for number in tries.values())
        seen = [sign_ins_of(look, self._iam, role, window[0]) for role in sorted(ADMINISTRATORS)]
        facts["administrator_ranges"] = len(self._iam.evidence.administrators_zones())
        if any(each.sign_ins for each in seen):  # else there is nothing to see of them
            facts["administrator_sign_ins"] = sum(each.sign_ins for each in seen)
            facts["administrator_sign_ins_single"] = sum(each.weak for each in seen)
            outside = [each.outside for each in seen if each.outside is not None]
            if outside:
                facts["administrator_sign_ins_outside"] = sum(outside)
        return of_events(facts, look.own.scoped(_WRONG), window)

    def _factors(self, look: Look) -> Sight:
        factors, standing = self._iam.evidence.mfa_state(look.actor.org_id), self._standing(look)
        facts: dict[str, Fact] = {
            "active": factors.active_accounts,
            "with_two": factors.with_two_factors,
            "administrators": factors.administrators,
            "administrators_with_two": factors.administrators_with_two_factors,
            "administrators_cryptographic": standing["cryptographic_administrators"],
            "cryptographic": standing["cryptographic"],
        }
        return Sight(facts, "factors held by active accounts", link="/accounts")

    def _roles(self, look: Look) -> Sight:
        roles = self._iam.evidence.roles_state(look.actor.org_id)
        facts: dict[str, Fact] = {
            "system_admins": roles.holders[SYSTEM_ADMIN],
            "security_admins": roles.holders[SECURITY_ADMIN],
            "audit_admins": roles.holders[AUDIT_ADMIN],
            "held_by_nobody_known": self._standing(look)["held_by_nobody_known"],
            "without_duty": sum(not permissions_of(frozenset({role})) for role in ADMINISTRATORS),
        }
        return Sight(facts, "roles held in the organisation", link="/accounts")

    def _separation(self, look: Look) -> Sight:
        roles = self._iam.evidence.roles_state(look.actor.org_id)
        facts: dict[str, Fact] = {
            "conflicts": roles.conflicts,
            "enforced": roles.exclusion_enforced,
            "unproved": roles.administrators_unproved,
        }
        return Sight(facts, "persons with excluding roles", link="/accounts")

    def _leavers(self, look: Look) -> Sight:
        standing = self._standing(look)
        facts: dict[str, Fact] = {
            "overdue": standing["departures_overdue"],
            "rights_left": standing["rights_left"],
        }
        if standing["departures"]:  # of nobody who left nothing can be said
            facts["departures"] = standing["departures"]
            facts["slowest_hours"] = standing["slowest_hours"]
        return Sight(facts, "departures of a year", look.since(365 * DAY), link="/accounts")

    def _policies(self, _look: Look) -> Sight:
        policy = self._iam.evidence.policy_state()
        facts: dict[str, Fact] = {
            "policies": policy.access_policies,
            "altered": self._iam.evidence.altered_policies(),
            "version": policy.access_policy_version,
        }
        return Sight(facts, "access policies in force, their digest anew", link="/policies")

    def _changes(self, look: Look) -> Sight | None:
        standing = self._standing(look)
        if not standing["changes"]:
            return None
        names = ("changes", "unapproved", "approved_by_requester")
        facts: dict[str, Fact] = {name: standing[name] for name in names}
        query = "changes by two persons, carried out within a year"
        return Sight(facts, query, look.since(365 * DAY), link="/approvals")
