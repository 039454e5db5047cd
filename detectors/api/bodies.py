"""Members of a JSON body, of the type they must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secops.kernel.errors import Invalid


def text_of(body: Mapping[str, Any], name: str) -> str:
    """Return the text ``name``; raise ``Invalid``."""
    value = body.get(name)
    if not isinstance(value, str):
        msg = f"{name} is a text"
        raise Invalid(msg)
    return value


def number_of(body: Mapping[str, Any], name: str) -> int:
    """Return the whole number ``name``; raise ``Invalid``."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        msg = f"{name} is a whole number"
        raise Invalid(msg)
    return value
