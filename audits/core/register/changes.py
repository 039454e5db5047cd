"""What of something in the register changed, for the ledger: no names of persons, no long texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from audits.models.systems import PERSONAL_DETAILS

MAX_SHOWN: Final = 64
PERSONAL: Final = PERSONAL_DETAILS | {"owner", "person", "approved_by", "account"}
"""Fields that name persons: an act says that they changed, never from what to what."""


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that differ: [before, after], or "changed" where it names somebody.

    A text longer than 64 characters stands by its SHA-256.
    """
    return {
        name: "changed" if name in PERSONAL else [_short(before.get(name, "")), _short(after[name])]
        for name in after
        if after[name] != before.get(name, "")
    }


def _short(text: str) -> str:
    if len(text) <= MAX_SHOWN:
        return text
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
