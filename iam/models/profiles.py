"""An account with everything that hangs on it, as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iam.models.accounts import Account, CivilService, LegalPerson, Mandate
from iam.models.factors import Factor
from iam.models.sessions import OpSession
from iam.models.upstream import RealNameLevel
from iam.models.zero_trust import Device, Lock, RiskLimits


@dataclass(frozen=True, slots=True)
class AccountRisk:
    """The risk (0 to 100) that decides for an account, and what follows from which.

    ``at`` is when it was announced, 0 for never.
    """

    risk: int
    at: int
    limits: RiskLimits

    @property
    def consequence(self) -> str:
        """What it does now: ``none``, ``step_up``, ``refuse`` or ``end_session``."""
        limits = self.limits
        for limit, word in (
            (limits.end_session, "end_session"),
            (limits.refuse, "refuse"),
            (limits.step_up, "step_up"),
        ):
            if self.risk >= limit:
                return word
        return "none"


@dataclass(frozen=True, slots=True)
class AccountProfile:
    """Parts that the reader may not see are None, not empty."""

    account: Account
    real_name_level: int
    levels: tuple[RealNameLevel, ...]
    posts: tuple[CivilService, ...]
    factors: tuple[Factor, ...]
    risk: AccountRisk
    roles: frozenset[str] | None
    lent: Mapping[str, int]
    sessions: tuple[OpSession, ...] | None
    devices: tuple[Device, ...] | None
    locks: tuple[Lock, ...] | None
    mandates: tuple[tuple[Mandate, LegalPerson], ...] | None
