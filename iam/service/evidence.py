"""Facts about identity for assessments: counted from the real state, no personal data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from iam.core import lockout, passwords
from iam.models.evidence import (
    LockoutState,
    MfaState,
    PolicyState,
    RolesState,
    SignInsState,
    UsersState,
)
from iam.service.means import Means
from iam.service.zero_trust.book import PolicyBook
from iam.service.zero_trust.policies import version_digest
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND
from secops.kernel.permissions import ROLES
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.kernel.transactions import Transaction

STALE: Final = 90 * DAY
ADMINISTRATORS_ZONES: Final = frozenset({"administrators", "admin", "management", "管理"})
"""Names of zones in the policies' tables from which administrators are to sign in."""
DEFAULT_NAMES: Final = frozenset(
    {"admin", "administrator", "root", "sa", "system", "test", "guest", "demo", "user", "oper"}
)
"""Names that products are delivered with, and that are tried first."""
_YEAR: Final = 365 * DAY
_LATE: Final = DAY
_TWO_FACTORS: Final = 2


@dataclass(frozen=True, slots=True)
class EvidenceService:
    """What audits may know; who may ask is decided by audits' own use cases."""

    means: Means
    book: PolicyBook

    def roles_state(self, org_id: str = ROOT_ORG) -> RolesState:
        """Return how many hold each role, and whether the separation holds."""
        read = self.means.parts.transactions.read
        facts = read(lambda tx: self.means.stores.roles.facts(tx, org_id))
        return RolesState(
            holders={role: facts.get(role, 0) for role in ROLES},
            conflicts=facts["conflicts"],
            administrators_unproved=facts["unproved"],
            exclusion_enforced=facts["exclusion_enforced"] == 1,
        )

    def holders_of(self, org_id: str = ROOT_ORG) -> Mapping[str, frozenset[str]]:
        """Return the roles of every subject, by id."""
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.roles.by_subject(tx, org_id))

    def policy_state(self) -> PolicyState:
        """Return the rules in force."""
        options = self.means.options
        lifetimes = options.lifetimes
        return PolicyState(
            profile=options.password_profile,
            least_length=passwords.LEAST_LENGTH,
            classes=passwords.CLASSES if options.passwords_age else 0,
            password_age_days=lifetimes.password_age // DAY if options.passwords_age else 0,
            history=options.password_history,
            weak_list_size=len(self.means.rules.weak),
            access_policy_version=self.book.version,
            access_policies=self.book.policy_count,
            access_token_seconds=lifetimes.access_token // SECOND,
            session_idle_seconds=lifetimes.session_idle // SECOND,
            administrator_idle_seconds=lifetimes.administrator_idle // SECOND,
        )

    def mfa_state(self, org_id: str = ROOT_ORG) -> MfaState:
        """Return how many active accounts have two factors."""
        facts = self._credential_facts(org_id)
        return MfaState(
            active_accounts=facts["active"],
            with_two_factors=facts["with_two_factors"],
            administrators=facts["administrators"],
            administrators_with_two_factors=facts["administrators_with_two_factors"],
        )

    def lockout_state(self) -> LockoutState:
        """Return the limits on guessing and what they hold now."""
        read = self.means.parts.transactions.read
        return LockoutState(
            failures=lockout.ACCOUNT.failures,
            minutes=lockout.ACCOUNT.refusal // MINUTE,
            factor_failures=lockout.FACTOR.failures,
            factor_minutes=lockout.FACTOR.refusal // MINUTE,
            locked_now=read(lambda tx: self.means.stores.lockouts.locked(tx, "account")),
        )

    def users_state(self, org_id: str = ROOT_ORG) -> UsersState:
        """Return accounts by state."""
        stale_before = self.means.now - STALE

        def work(tx: Transaction) -> dict[str, int]:
            return dict(self.means.stores.accounts.facts(tx, org_id, stale_before))

        facts = self.means.parts.transactions.read(work)
        return UsersState(
            accounts=facts["accounts"],
            active=facts["active"],
            pending=facts["pending"],
            locked=facts["locked"],
            stale=facts["stale"],
            passwords_expired=self._credential_facts(org_id)["passwords_expired"],
            shared_persons=facts["shared_persons"],
        )

    def standing(self, org_id: str, default_ids: Collection[str]) -> Mapping[str, int]:
        """Return counts over accounts, rights, departures and changes of a year.

        ``default_ids`` are accounts that came with the product. ``slowest`` is in hours.
        """
        store, now = self.means.stores.standing, self.means.now

        def work(tx: Transaction) -> dict[str, int]:
            left = store.departures(tx, org_id, now - _YEAR, _LATE)
            return {
                **store.accounts(tx, org_id, default_ids, DEFAULT_NAMES),
                **store.rights(tx, org_id),
                **store.changes(tx, org_id, now - _YEAR),
                "departures": left["departures"],
                "departures_overdue": left["overdue"],
                "slowest_hours": -(-left["slowest"] // HOUR),
                "cryptographic": store.cryptographic(tx, org_id),
                "cryptographic_administrators": store.cryptographic(tx, org_id, ADMINISTRATORS),
            }

        return self.means.parts.transactions.read(work)

    def altered_policies(self) -> int:
        """Return how many versions in force no longer are what was approved: 0 or 1.

        The shipped set has no version; the digest of another is approved with it.
        """
        read = self.means.parts.transactions.read
        active = read(lambda tx: self.means.stores.policies.active(tx, ROOT_ORG))
        return int(active is not None and version_digest(active) != active.digest)

    def administrators_zones(self) -> frozenset[str]:
        """Return the zones for administrators that the policies in force name."""
        return frozenset(name for name, _ in self.book.current().data.zones) & ADMINISTRATORS_ZONES

    def sign_ins(self, org_id: str, role: str, since: int) -> SignInsState:
        """Return how the holders of ``role`` signed in; two factors are level 2."""
        store, current = self.means.stores.standing, self.book.current()
        found = self.means.parts.transactions.read(
            lambda tx: store.sign_ins(tx, org_id, role, since)
        )
        zones = self.administrators_zones()
        outside = sum(zones.isdisjoint(current.zones(address)) for _, address in found)
        return SignInsState(
            sign_ins=len(found),
            weak=sum(level < _TWO_FACTORS for level, _ in found),
            outside=outside if zones else None,
        )

    def _credential_facts(self, org_id: str) -> dict[str, int]:
        now = self.means.now
        set_before = now - self.means.options.lifetimes.password_age
        credentials = self.means.stores.credentials

        def work(tx: Transaction) -> dict[str, int]:
            return dict(credentials.facts(tx, org_id, set_before=set_before, now=now))

        return self.means.parts.transactions.read(work)
