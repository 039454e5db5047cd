"""What other planes and the network do for this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from playbooks.models import AlertSummary
from playbooks.ports.custody import CustodySigner
from playbooks.ports.drills import DrillDoor, NoDrillDoor
from playbooks.ports.notices import NoticePorts
from playbooks.ports.notifications import Mailer, NoMailer, NoSecretBox, SecretBox
from playbooks.ports.signatures import PlaybookSignatures
from secops.kernel.actors import Actor
from secops.kernel.containment import Contained


class Alerts(Protocol):
    """Alerts of the detectors."""

    def get_alert(self, org_id: str, alert_id: str) -> AlertSummary | None:
        """Return the alert if ``org_id`` may see it."""
        ...

    def alerts_since(self, actor: Actor, since: int, limit: int) -> Sequence[AlertSummary]:
        """Return alerts since an instant, newest first, at most ``limit``, without evidence.

        Those of the caller's own organisation that the caller may see.
        """
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """On whose authority a target is contained; goes into iam's own acts.

    ``key`` is the idempotency key: the same order given twice has one effect. ``undoes`` is
    the key of the order that this one takes back, "" where it stands alone.
    """

    org_id: str
    run_id: str
    incident_id: str
    key: str
    requester_id: str
    approver_id: str
    reason: str
    timeout_ms: int
    undoes: str = ""


RestrainedKind = Literal["account", "step-up", "client", "address", "key", "seal"]
"""What can be held back, and given back: ``step-up`` is an account's, too."""


class Containment(Protocol):
    """What other planes take away and give back. All acts are idempotent by the order's key."""

    def sessions_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of its live sessions."""
        ...

    def revoke_sessions(self, account_id: str, order: Order) -> int:
        """End all its sessions and return how many there were."""
        ...

    def look(self, kind: RestrainedKind, org_id: str, name: str) -> Contained | None:
        """Return the subject with this name or id as it is now; None if ``org_id`` has none."""
        ...

    def restrain(self, kind: RestrainedKind, subject: str, order: Order) -> None:
        """Take the subject out of use, everywhere within a second; it stays so if it is."""
        ...

    def give_back(self, kind: RestrainedKind, subject: str, order: Order) -> None:
        """Lift what the order ``order.undoes`` took, or all that holds the subject.

        It is free when nothing else holds it.
        """
        ...

    def is_in_force(self, kind: RestrainedKind, subject: str, key: str) -> bool:
        """Tell whether what the order ``key`` took away is still held back by it."""
        ...

    def is_token_revoked(self, token_id: str) -> bool:
        """Tell whether a token is ended: it is named by its ``jti``, never by itself."""
        ...

    def revoke_token(self, token_id: str, order: Order) -> None:
        """End a token for good."""
        ...


@dataclass(frozen=True, slots=True)
class LogExtract:
    """Lines of a search (JSON Lines), how many, and whether there were more."""

    content: bytes
    events: int
    is_cut: bool


class Logs(Protocol):
    """The logs that detectors keep. A search is recorded with the order that asked."""

    def check(self, query: str) -> None:
        """Raise ``Invalid`` unless ``query`` can be read."""
        ...

    def extract(
        self, query: str, window: tuple[int, int], order: Order, *, limits: tuple[int, int]
    ) -> LogExtract:
        """Return what ``query`` finds in ``window`` (UTC microseconds), newest first.

        ``limits`` are the most events and bytes.
        """
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
    logs: Logs
    outbound: Outbound
    signatures: PlaybookSignatures
    custody: CustodySigner
    notices: NoticePorts
    drills: DrillDoor = field(default_factory=NoDrillDoor)
    mailer: Mailer = field(default_factory=NoMailer)
    secret_box: SecretBox = field(default_factory=NoSecretBox)
