"""Why somebody did it: what people enter beside a decision, and what the ledger keeps."""

from __future__ import annotations

from typing import Final

from secops.kernel.errors import Invalid

MAX_REASON: Final = 500
"""Characters."""


def check_reason(reason: str) -> None:
    """Raise ``Invalid`` for a reason that is empty, too long or not printable."""
    if not reason.strip() or len(reason) > MAX_REASON or not reason.isprintable():
        msg = f"a reason of 1 to {MAX_REASON} printable characters is needed"
        raise Invalid(msg)


def check_lines_of_reason(reason: str) -> None:
    """Raise ``Invalid`` for a reason that is empty or too long; it may have several lines."""
    if not reason.strip() or len(reason) > MAX_REASON:
        msg = f"a reason of 1 to {MAX_REASON} characters is needed"
        raise Invalid(msg)
