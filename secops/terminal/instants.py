"""Times as they are typed."""

from __future__ import annotations

import click

from secops.kernel.clock import from_rfc3339


def instant(text: str, option: str) -> int:
    """Return ``text`` (RFC 3339) as UTC microseconds; raise a usage error naming ``option``."""
    try:
        return from_rfc3339(text)
    except ValueError as error:
        msg = f"{option} takes a time like 2026-03-01T08:00:00+08:00"
        raise click.UsageError(msg) from error


def instant_or_none(text: str | None, option: str) -> int | None:
    """Return ``instant``, None where the option wasn't given."""
    return None if text is None else instant(text, option)
