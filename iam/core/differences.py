"""What a change changes, field by field, and the digests it is bound to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from iam.models.changes import FieldDifference
from secops.kernel.canonical import canonical


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldDifference, ...]:
    """Return every field of either side, in order; what did not change is there too."""
    names = sorted({*before, *after})
    return tuple(FieldDifference(name, before.get(name), after.get(name)) for name in names)


def base_digest(before: Mapping[str, Any]) -> str:
    """Return SHA-256 (hex) of the RFC 8785 form of what a request was based on."""
    return hashlib.sha256(canonical(dict(before))).hexdigest()


def change_digest(
    kind: str, target: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> str:
    """Return SHA-256 (hex) of the whole change: an approval is of this one and no other."""
    whole = {"kind": kind, "target": target, "before": dict(before), "after": dict(after)}
    return hashlib.sha256(canonical(whole)).hexdigest()
