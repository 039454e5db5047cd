"""The trail: every act becomes one leaf of the ledger, durable before the answer.

Two doors lead into the one ledger. Acts that change state are recorded inside their
unit of work (``Transaction.record``); hot acts without state go through ``Trail.append``
and are durable in this process's journal when it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical_record
from secops.kernel.errors import SecopsError

Outcome = Literal["done", "refused", "failed", "intent", "unknown"]

LEAF_VERSION: Final = 1
MAX_RECORD: Final = 65_535
"""A leaf fits a tlog entry bundle's uint16 length: large things go in by digest."""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done or refused, by whom, to what.

    ``action`` is ``plane.use_case``; ``target`` is ``kind:id``. ``details`` hold texts,
    integers, booleans, None, and lists and maps of them: digests instead of content,
    identifiers instead of personal data, never a secret, no floats.
    """

    action: str
    actor: Actor
    target: str
    outcome: Outcome = "done"
    details: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a hot act became durable, and its leaf hash (SHA-256 of 00 ‖ record)."""

    journal: str
    offset: int
    leaf_hash: bytes


PATIENCE: Final = 2.0
"""Seconds after which a caller is refused when the disk does not answer."""

OnDurable = Callable[[Sequence[Receipt], SecopsError | None], None]
"""Told once, in a thread of the trail's, and returns at once: receipts, or why there are none."""


class QueuedTrail(Protocol):
    """The hot door for a caller that may not wait."""

    def submit(self, acts: Sequence[Act], on_durable: OnDurable) -> None:
        """Queue ``acts``; raise ``TooLarge``, or ``AuditUnavailable`` when it takes no more."""
        ...


class Trail(Protocol):
    """The hot door: this process's journal."""

    def append(self, acts: Sequence[Act]) -> Sequence[Receipt]:
        """Make ``acts`` durable and return; raise ``AuditUnavailable`` if that fails."""
        ...


def encode_act(act: Act, at: int) -> bytes:
    """Return the canonical leaf record of ``act`` at instant ``at`` (UTC microseconds)."""
    actor = act.actor
    return canonical_record(
        {
            "v": LEAF_VERSION,
            "at": at,
            "action": act.action,
            "actor": {
                "kind": actor.kind,
                "id": actor.id,
                "org": actor.org_id,
                "session": actor.session_id,
                "client": actor.client_id,
            },
            "target": act.target,
            "outcome": act.outcome,
            "details": dict(act.details),
            "request": act.request_id,
        }
    )
