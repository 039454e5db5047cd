"""How many messages a channel takes, and when to try again.

A window is counted, not a bucket filled: a bucket of 20 that refills with 20 a minute lets 40
out within one minute, and DingTalk blocks a robot for ten minutes that is sent the 21st.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from playbooks.models.options import ChannelKind
from secops.kernel.clock import HOUR, MINUTE, SECOND

MAX_TRIES: Final = 8
_FIRST: Final = 30 * SECOND
_LONGEST: Final = HOUR
_JITTER: Final = 256


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` messages in any ``span`` (microseconds)."""

    count: int
    span: int


LIMITS: Final[Mapping[ChannelKind, tuple[Limit, ...]]] = {
    "dingtalk": (Limit(20, MINUTE),),
    "feishu": (Limit(100, MINUTE), Limit(5, SECOND)),
    "wecom": (Limit(20, MINUTE),),
    "generic": (Limit(120, MINUTE),),
    "smtp": (Limit(60, MINUTE),),
}
"""The robots' own figures; the two others are ours: nobody reads more."""


@dataclass(frozen=True, slots=True)
class Room:
    """``free`` messages may leave now; where none may, one may at ``again_at``."""

    free: int
    again_at: int


def room(kind: ChannelKind, sent: Sequence[int], now: int) -> Room:
    """Return what the limits leave after messages left at ``sent`` (instants, any order)."""
    free, again = LIMITS[kind][0].count, now
    for limit in LIMITS[kind]:
        inside = sorted(at for at in sent if at > now - limit.span)
        left = limit.count - len(inside)
        free = min(free, max(left, 0))
        if left <= 0:
            again = max(again, inside[-limit.count] + limit.span)
    return Room(free, again)


def remembered(kind: ChannelKind, sent: Sequence[int], now: int) -> list[int]:
    """Return the instants that still count, oldest first; those of a clock set back do."""
    longest = max(limit.span for limit in LIMITS[kind])
    most = max(limit.count for limit in LIMITS[kind])
    return sorted(min(at, now) for at in sent if at > now - longest)[-most:]


def pause(tries: int, chance: int) -> int | None:
    """Return how long to wait after ``tries`` failures (microseconds); None: give up.

    Doubles from 30 seconds up to an hour; ``chance`` (0 to 255) adds up to a half, so that
    what failed together does not come back together.
    """
    if tries >= MAX_TRIES:
        return None
    waited = min(_FIRST << (tries - 1), _LONGEST)
    return waited + waited * chance // (2 * _JITTER)
