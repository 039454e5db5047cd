"""Words of containment: what a playbook's run orders, and what it sees of a subject.

One vocabulary for all planes that can take something away; how, is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ContainmentOrder:
    """On whose authority something is taken away or given back.

    ``key`` is its idempotency key; ``undoes`` the key of the order whose effect it takes back,
    "" where everything that holds the subject is to be lifted. ``told`` goes into the acts.
    """

    org_id: str
    key: str
    undoes: str = ""
    reason: str = ""
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contained:
    """A subject as it is now: ``state`` is a word of its own kind.

    ``held`` tells that it is taken away now; ``holders`` name what holds it so; ``beyond`` that
    something else holds it, too, which no order lifts. ``protected`` says why it may not be
    taken away by a machine, or is "".
    """

    id: str
    name: str
    state: str
    held: bool
    holders: tuple[str, ...] = ()
    beyond: bool = False
    protected: str = ""
