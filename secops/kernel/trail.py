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
MOST_FOLDED: Final = 128
"""Reads in one leaf: with their targets and requests far below ``MAX_RECORD``."""
MAX_RECORD: Final = 65_535
"""A leaf fits a tlog entry bundle's uint16 length: large things go in by digest."""


_RESTRICTING: Final = ("lock", "suspend", "revoke", "retire", "stop", "cancel", "disable", "drain")
_LOOKING: Final = ("verify", "check", "self", "report")
_ON_ONE_DEVICE: Final = frozenset((*_RESTRICTING, *_LOOKING, "forget", "withdraw", "call"))
"""First words of the key plane's use cases that restrict, or only look."""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done or refused, by whom, to what.

    ``action`` is ``plane.use_case``; ``target`` is ``kind:id``. ``details`` hold texts,
    integers, booleans, None, and lists and maps of them: digests instead of content,
    identifiers instead of personal data, never a secret, no floats. ``bulk`` marks a read of
    which many come at once: those that become durable together may share a leaf (``fold``).
    """

    action: str
    actor: Actor
    target: str
    outcome: Outcome = "done"
    details: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    bulk: bool = False


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


def fold(acts: Sequence[Act]) -> Sequence[Act]:
    """Return ``acts`` with bulk reads by one caller, of one kind and outcome, in one act.

    Each keeps its target, request and details there, so that nothing is lost but repetition;
    all other acts stand for themselves, and all stand in the order of their first.
    """
    if len(acts) == 1:
        return acts
    groups: dict[object, list[Act]] = {}
    for number, act in enumerate(acts):
        groups.setdefault(_kind_of(act) if act.bulk else number, []).append(act)
    if len(groups) == len(acts):
        return acts
    return [
        _together(group[at : at + MOST_FOLDED])
        for group in groups.values()
        for at in range(0, len(group), MOST_FOLDED)
    ]


def _kind_of(act: Act) -> tuple[str | None, ...]:
    actor = act.actor
    return act.action, act.outcome, actor.kind, actor.id, actor.session_id, actor.client_id


def _together(group: Sequence[Act]) -> Act:
    first = group[0]
    if len(group) == 1:
        return first
    each = [[act.target, act.request_id, dict(act.details)] for act in group]
    target = f"{first.target.partition(':')[0]}:folded"
    details = {"count": len(group), "each": each}
    return Act(first.action, first.actor, target, first.outcome, details)


def needs_second_device(act: Act) -> bool:
    """Tell whether ``act`` grants the use or the change of a key or seal.

    Such an act is refused while the second audit device, where one is set, does not answer.
    Reads are not, nor what restricts: that is never refused for a ledger's sake.
    """
    plane, _, use_case = act.action.partition(".")
    if plane != "kms" or act.bulk or act.outcome not in ("done", "intent"):
        return False
    return use_case.partition("_")[0] not in _ON_ONE_DEVICE


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
