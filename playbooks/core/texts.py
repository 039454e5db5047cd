"""Texts that people enter, within bounds."""

from __future__ import annotations

from secops.kernel.errors import Invalid


def bounded(text: str, limit: int, name: str) -> str:
    """Return ``text`` without blanks around it; raise ``Invalid`` for none or too much of it."""
    stripped = text.strip()
    if not stripped or len(stripped) > limit:
        msg = f"a {name} has 1 to {limit} characters"
        raise Invalid(msg)
    return stripped


def at_most(text: str, limit: int, name: str) -> str:
    """Return ``text`` without blanks around it, maybe nothing; raise ``Invalid`` for too much."""
    stripped = text.strip()
    if len(stripped) > limit:
        msg = f"a {name} has at most {limit} characters"
        raise Invalid(msg)
    return stripped
