"""What holds keys and seals back on a playbook's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HoldKind = Literal["key", "seal"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A key or seal taken out of use by the order ``key``, until it is lifted.

    ``beyond``: it was out of use before, by something else than holds. Times are UTC
    microseconds.
    """

    key: str
    org_id: str
    kind: HoldKind
    subject: str
    beyond: bool
    created_at: int
    lifted_at: int | None = None
