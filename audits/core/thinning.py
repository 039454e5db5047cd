"""Which old checkpoints need not be kept: a later one of the same tree vouches for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from audits.models import Checkpoint
from secops.kernel.clock import HOUR, MINUTE

KEPT_WHOLE: Final = HOUR
KEPT_ONE_PER: Final = 10 * MINUTE


def superfluous(checkpoints: Iterable[Checkpoint], now: int) -> list[int]:
    """Return the sizes to drop: all are kept for an hour, then the last of every 10 minutes.

    ``checkpoints`` come by growing size. The newest of all is never among them.
    """
    dropped = []
    before: Checkpoint | None = None
    for checkpoint in checkpoints:
        old = checkpoint.at <= now - KEPT_WHOLE
        if before is not None and old and _span(before) == _span(checkpoint):
            dropped.append(before.size)
        before = checkpoint
    return dropped


def _span(checkpoint: Checkpoint) -> int:
    return checkpoint.at // KEPT_ONE_PER
