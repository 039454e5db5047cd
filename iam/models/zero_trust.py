"""Policy versions and their data, recorded decisions, locks, and what surrounds a caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Literal, get_args

from secops.kernel.catalogue import Text

VersionState = Literal["draft", "proposed", "active", "retired", "rejected"]
LockKind = Literal["account", "person", "device", "client", "organisation", "address", "step-up"]
"""step-up takes nothing away: the account's next request asks for a newer proof."""
LOCK_KINDS: Final[tuple[LockKind, ...]] = get_args(LockKind)
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """When people work: ``days`` are 1 (Monday) to 7, minutes count from midnight local time.

    ``holidays`` are free whatever the weekday, ``workdays`` are worked (调休); ISO dates.
    """

    offset_minutes: int = 480
    days: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    begins: int = 510
    ends: int = 1_080
    holidays: frozenset[str] = frozenset()
    workdays: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Limits of risk, 1 to 100.

    From ``step_up`` on a newer proof is demanded, from ``refuse`` on nothing is granted, and
    from ``end_session`` on the subject's sessions end.
    """

    step_up: int = 50
    refuse: int = 80
    end_session: int = 95


@dataclass(frozen=True, slots=True)
class PostureRule:
    """What a device must say of itself, and for how many hours that counts."""

    report_hours: int = 24
    disk_encrypted: bool = True
    screen_lock: bool = True
    least_versions: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyData:
    """The tables that policies speak of: zones, working time, limits, posture, data grades."""

    zones: tuple[tuple[str, tuple[Network, ...]], ...] = ()
    working: WorkingTime = WorkingTime()
    risk: RiskLimits = RiskLimits()
    posture: PostureRule = PostureRule()
    grades: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A set of own policies (Cedar) with its data (TOML), numbered in its organisation.

    ``digest`` is SHA-256 (hex) of both texts. ``approval_id`` names the request to activate it.
    """

    id: str
    org_id: str
    number: int
    title: str
    policies: str
    data: str
    digest: str
    state: VersionState
    created_by: str
    created_at: int
    approval_id: str | None = None
    activated_at: int | None = None
    activated_by: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyTitle:
    """How a policy calls itself, and the advice it gives to who is refused by it."""

    id: str
    effect: str
    title: Text
    advice: Text


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a draft: an ``error`` keeps it from being proposed."""

    severity: Literal["error", "warning"]
    code: str
    policy: str
    text: Text


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """Decisions of one day that were asked alike: ``question`` is canonical JSON."""

    day: int
    digest: bytes
    org_id: str
    question: str
    allowed: bool
    count: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class ChangedDecision:
    """Decisions that a draft would turn around, by subject and action."""

    subject: str
    permission: str
    resource_kind: str
    allowed_before: bool
    count: int
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a draft would have decided: ``decisions`` looked at, which of them differently."""

    decisions: int
    questions: int
    refusals_more: int
    refusals_fewer: int
    unreadable: int
    changed: tuple[ChangedDecision, ...]

    @property
    def changes(self) -> int:
        """How many decisions would have come out differently."""
        return self.refusals_more + self.refusals_fewer


@dataclass(frozen=True, slots=True)
class Posture:
    """What a device reports of itself; ``at`` is the agent's time, UTC microseconds."""

    os: str
    version: str
    disk_encrypted: bool
    screen_lock: bool
    at: int


@dataclass(frozen=True, slots=True)
class Device:
    """A device by its key. ``thumbprint`` is RFC 7638's of ``public_der`` (SPKI)."""

    id: str
    org_id: str
    account_id: str
    name: str
    algorithm: Literal["ES256", "SM2"]
    thumbprint: str
    public_der: bytes
    state: Literal["active", "revoked"]
    created_at: int
    posture: Posture | None = None
    reported_at: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of a caller beyond the token or cookie; empty for applications.

    ``device_id`` is the registered device that proved itself in this session, if any.
    """

    account_kind: str = ""
    person_id: str = ""
    real_name_level: int = 0
    factors: tuple[str, ...] = ()
    device_id: str = ""
    posture: Posture | None = None
    reported_at: int = 0


@dataclass(frozen=True, slots=True)
class Lock:
    """A subject that may do nothing until ``until`` (None: until it is lifted).

    ``ended`` counts what ended with it: sessions, devices. ``lift_approval`` is the request
    to lift it, which another person approves. ``order_key`` names the playbook's order that
    set it, "" for a person's.
    """

    id: str
    org_id: str
    kind: LockKind
    subject: str
    reason: str
    created_by: str
    created_at: int
    until: int | None = None
    ended: Mapping[str, int] = field(default_factory=dict)
    lift_approval: str | None = None
    lifted_at: int | None = None
    lifted_by: str | None = None
    order_key: str = ""


@dataclass(frozen=True, slots=True)
class OpenableApplication:
    """An application as one person sees it: may it be opened, and why (not).

    ``demand`` is the real-name level it wants of people, None for none.
    """

    id: str
    name: str
    address: str
    allowed: bool
    reason: str
    because: Text | None
    helps: tuple[Text, ...]
    demand: Text | None = None
