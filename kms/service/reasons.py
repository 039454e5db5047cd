"""Why somebody did it: what people enter beside a decision, and what the ledger keeps."""

from __future__ import annotations

from typing import Final

from secops.kernel.errors import Invalid

_MAX_REASON: Final = 500


def check_reason(reason: str) -> None:
    """Raise ``Invalid`` for a reason that is empty, too long or not printable."""
    if not reason.strip() or len(reason) > _MAX_REASON or not reason.isprintable():
        msg = f"a reason of 1 to {_MAX_REASON} printable characters is needed"
        raise Invalid(msg)
