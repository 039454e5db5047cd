"""Real-name levels: data of a scheme, compared only within it; an unknown one never suffices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from iam.models.upstream import RealNameLevel
from secops.kernel.clock import SECOND

_DEMAND: Final = re.compile(r"([a-z]{2}(?:-[a-z0-9]{1,12})+):([1-9])", re.ASCII)


def satisfies(levels: Sequence[RealNameLevel], demand: str, now: int) -> bool:
    """Tell whether one of ``levels`` meets ``demand`` (``cn-gd:4``) at ``now`` (UTC µs)."""
    found = _DEMAND.fullmatch(demand)
    if found is None:
        return False
    scheme, least = found[1], int(found[2])
    return any(
        level.scheme == scheme and level.level >= least and level.expires_at > now
        for level in levels
    )


def real_name_claim(levels: Sequence[RealNameLevel], now: int) -> dict[str, Any] | None:
    """Return the claim ``real_name_level`` for tokens: the latest level that holds, or None.

    ``at`` and ``exp`` are UTC seconds, as all times in tokens.
    """
    living = [level for level in levels if level.expires_at > now]
    if not living:
        return None
    latest = max(living, key=lambda level: (level.at, level.scheme))
    return {
        "scheme": latest.scheme,
        "level": latest.level,
        "source": latest.source,
        "at": latest.at // SECOND,
        "exp": latest.expires_at // SECOND,
    }
