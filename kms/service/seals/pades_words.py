"""How a request or a form words level and key of a signature by PAdES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms.models.stamps import PADES_KEYS, PADES_LEVELS, PadesForm
from secops.kernel.errors import Invalid


def pades_of(fields: Mapping[str, Any]) -> PadesForm:
    """Return level and key of a signature by PAdES; raise ``Invalid``."""
    level, key = fields.get("pades_level") or None, fields.get("pades_key") or PADES_KEYS[0]
    for found in PADES_KEYS:
        if key == found and (level is None or level in PADES_LEVELS):
            return PadesForm(level, found)
    msg = f"pades_level is one of {', '.join(PADES_LEVELS)}; pades_key {' or '.join(PADES_KEYS)}"
    raise Invalid(msg)
