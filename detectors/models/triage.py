"""Exceptions, suppressions, and the risk of entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ExceptionState = Literal["pending", "active", "rejected", "revoked"]
SuppressionState = Literal["active", "lifted"]


@dataclass(frozen=True, slots=True)
class Hint:
    """What one open alert says: ``risk`` of 100, learnt or last renewed at ``at``."""

    risk: int
    at: int


@dataclass(frozen=True, slots=True)
class RuleException:
    """Events that fit ``condition`` don't count for a rule (``*``: for any).

    ``condition`` is a Sigma detection as JSON. It holds while ``state`` is active and
    ``expires_at`` lies ahead; ``hits`` counts the events it took away.
    """

    id: str
    org_id: str
    rule_id: str
    condition: str
    owner: str
    reason: str
    created_by: str
    created_at: int
    expires_at: int
    approval_id: str
    state: ExceptionState = "pending"
    decided_by: str | None = None
    decided_at: int | None = None
    hits: int = 0
    last_hit_at: int | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """After an alert of a rule (``*``: any) further ones with equal ``by`` stay quiet.

    ``by`` are subjects (``source.ip``); ``window`` is event time around the alert that leads,
    microseconds. Nothing is lost: quiet alerts are stored, and lifting raises them.
    """

    id: str
    org_id: str
    rule_id: str
    by: tuple[str, ...]
    window: int
    owner: str
    reason: str
    created_by: str
    created_at: int
    expires_at: int
    state: SuppressionState = "active"
    lifted_by: str | None = None
    lifted_at: int | None = None


@dataclass(frozen=True, slots=True)
class SuppressedGroup:
    """The alert that leads, and how many it keeps quiet; ``sample`` are the first of them."""

    suppression_id: str
    leader: str
    group_key: str
    leader_at: int
    count: int
    sample: tuple[str, ...]
    last_at: int


@dataclass(frozen=True, slots=True)
class EntityRisk:
    """What was last published of an entity: ``risk`` 0 to 100 at ``at``."""

    subject: str
    risk: int
    at: int
    criticality: float = 1.0


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """A point of an entity's history."""

    at: int
    risk: int
    reason: str
