"""What audits may know about identity: facts, no personal data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RolesState:
    """Who holds what, by number; ``conflicts`` are persons with excluding roles."""

    holders: dict[str, int]
    conflicts: int
    administrators_unproved: int
    exclusion_enforced: bool


@dataclass(frozen=True, slots=True)
class PolicyState:
    """The password rules and access policies in force."""

    profile: str
    least_length: int
    classes: int
    password_age_days: int
    history: int
    weak_list_size: int
    access_policy_version: str
    access_policies: int
    access_token_seconds: int
    session_idle_seconds: int
    administrator_idle_seconds: int


@dataclass(frozen=True, slots=True)
class MfaState:
    """How many active accounts have two factors."""

    active_accounts: int
    with_two_factors: int
    administrators: int
    administrators_with_two_factors: int


@dataclass(frozen=True, slots=True)
class LockoutState:
    """The limits on guessing, and what they caught."""

    failures: int
    minutes: int
    factor_failures: int
    factor_minutes: int
    locked_now: int


@dataclass(frozen=True, slots=True)
class UsersState:
    """Accounts by state; ``stale`` have not signed in for 90 days."""

    accounts: int
    active: int
    pending: int
    locked: int
    stale: int
    passwords_expired: int
    shared_persons: int


@dataclass(frozen=True, slots=True)
class SignInsState:
    """Sign-ins of the holders of a role: all, those with one factor, those from elsewhere.

    ``outside`` is None where no zone of the policies' tables is for administrators.
    """

    sign_ins: int
    weak: int
    outside: int | None
