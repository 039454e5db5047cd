"""Times as they are typed."""

from __future__ import annotations

from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid


def instant(text: str | None, option: str) -> int | None:
    """Return ``text`` (RFC 3339) as UTC microseconds; raise ``Invalid`` naming ``option``."""
    try:
        return from_rfc3339(text) if text is not None else None
    except ValueError as error:
        msg = f"{option} is a time as in RFC 3339, e.g. 2026-11-22T08:00:00+08:00"
        raise Invalid(msg) from error
