"""What other planes and the network do for this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from playbooks.models import AlertSummary


class Alerts(Protocol):
    """Alerts of the detectors."""

    def get_alert(self, org_id: str, alert_id: str) -> AlertSummary | None:
        """Return the alert if ``org_id`` may see it."""
        ...


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account as it is now. ``state`` is a word such as active or locked.

    ``protected`` says why it may not be contained automatically (the last security
    administrator), or is "".
    """

    id: str
    name: str
    state: str
    locked: bool
    protected: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """On whose authority a target is contained; goes into iam's own acts.

    ``key`` is the idempotency key: the same order given twice has one effect.
    """

    org_id: str
    run_id: str
    incident_id: str
    key: str
    requester_id: str
    approver_id: str
    reason: str
    timeout_ms: int


class Containment(Protocol):
    """What identity and access can take away. Both acts are idempotent."""

    def account_state(self, org_id: str, account: str) -> AccountState | None:
        """Return the account with this id or name in ``org_id``."""
        ...

    def sessions_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of its live sessions."""
        ...

    def revoke_sessions(self, account_id: str, order: Order) -> int:
        """End all its sessions and return how many there were."""
        ...

    def lock_account(self, account_id: str, order: Order) -> None:
        """Lock it; does nothing if it is locked."""
        ...


class Outbound(Protocol):
    """The guarded way out to the network."""

    def get(self, url: str, headers: Mapping[str, str], *, timeout: float) -> tuple[int, bytes]:
        """Ask for ``url``; as ``post``, but an answer longer than 64 KiB is an error."""
        ...

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> tuple[int, bytes]:
        """Post and return status and at most 64 KiB of the answer.

        ``timeout`` is in seconds. Raises ``Unavailable`` or ``Invalid`` when nothing was sent,
        another ``SecopsError`` when that isn't known. Errors never repeat ``url``: it holds a
        token.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlaybooksPorts:
    """What other planes and the shell provide; the bridges fill it."""

    alerts: Alerts
    containment: Containment
    outbound: Outbound
