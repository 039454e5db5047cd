"""Changes that take two persons: what was, what is to be, who asked, who decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ChangeState = Literal["pending", "approved", "applied", "rejected", "withdrawn", "expired"]
"""``approved`` waits for whoever asked to carry it out; ``applied`` is done."""


@dataclass(frozen=True, slots=True)
class NewChange:
    """What somebody asks for: ``target`` (``kind:id``) shall look like ``after`` (JSON values)."""

    kind: str
    target: str
    after: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A request as stored; its id is its approval's. Times are UTC microseconds.

    ``base`` is the SHA-256 of ``before`` as it was when somebody asked: where the target has
    moved on since, the request is stale and can't be approved.
    """

    id: str
    org_id: str
    kind: str
    target: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    base: str
    reason: str
    requester_id: str
    requested_at: int
    expires_at: int
    state: ChangeState = "pending"
    decided_by: str | None = None
    decided_at: int | None = None
    decision_reason: str = ""


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field before and after; a missing value is None."""

    field: str
    before: Any
    after: Any

    @property
    def changed(self) -> bool:
        """Whether the field differs."""
        return bool(self.before != self.after)


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A request as people look at it. ``stale`` tells that its target has changed since.

    ``requester`` and ``target`` are names, where they have one.
    """

    request: ChangeRequest
    differences: tuple[FieldDifference, ...]
    stale: bool
    may_decide: bool
    may_withdraw: bool
    requester: str
    target: str = ""
