"""Limits of a key, and quotas of an organisation: all times are UTC microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NO_RISK_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What a use of one key must satisfy beside a grant. The default lets everything through.

    ``not_before`` and ``not_after`` bound when (0: no bound; ``not_after`` itself is too late),
    ``max_uses`` how often in all (None: no cap), ``clients`` through which applications (ids;
    empty: any), ``max_risk`` how risky a caller may be (0 to 100). ``version`` grows with each
    change and is 0 before the first.
    """

    key_id: str
    not_before: int = 0
    not_after: int = 0
    max_uses: int | None = None
    clients: tuple[str, ...] = ()
    max_risk: int = NO_RISK_LIMIT
    version: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """What one organisation may have and do; None is without a limit.

    ``keys`` are those not destroyed, ``versions`` those with material, ``daily_operations`` uses
    of keys in one day of Beijing time. ``version`` is as in ``KeyLimits``.
    """

    org_id: str
    keys: int | None = None
    versions: int | None = None
    daily_operations: int | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Tenancy:
    """An organisation's part of the pool as it is shown: its quota and what it has used."""

    quota: Quota
    locked: bool
    keys: int
    versions: int
    operations_leased: int


@dataclass(frozen=True, slots=True)
class Counter:
    """What is counted, for whom and in which period (0: for ever; else a day's number)."""

    id: str
    org_id: str
    period: int = 0
