"""Recoveries that wait, and accounts sealed for emergencies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

RecoveryState = Literal["waiting", "done", "cancelled", "rejected"]


@dataclass(frozen=True, slots=True)
class Recovery:
    """A reset of credentials that its owner was told of; ``id`` is its approval's.

    It may be carried out from ``not_before`` on. ``hastened_by`` brought that nearer.
    """

    id: str
    org_id: str
    account_id: str
    state: RecoveryState
    asked_at: int
    not_before: int
    expires_at: int
    hastened_by: str | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class OwnRecovery:
    """A waiting recovery as the account's owner sees it, with what was said for it."""

    recovery: Recovery
    reason: str
    approved: bool


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """A sealed account for emergencies. ``open_until`` is set when its seal was broken.

    ``second`` is the second envelope, sealed by the key pool, until its custodian took it.
    """

    account_id: str
    org_id: str
    sealed_at: int
    sealed_by: str
    second: bytes | None = field(default=None, repr=False)
    tested_at: int | None = None
    opened_at: int | None = None
    open_until: int | None = None
    reviewed_at: int | None = None
    reviewed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one of two custodians keeps, shown to them once: half a password opens nothing.

    The codes for the second factor lie in the second one.
    """

    account: str
    half: str = field(repr=False)
    codes: tuple[str, ...] = field(default=(), repr=False)
