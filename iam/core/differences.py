"""What a change changes, field by field, and the digests it is bound to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from iam.models.changes import FieldDifference
from secops.kernel.canonical import canonical


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldDifference, ...]:
    """Return every field of either side, in order; what did not change is there too.

    Objects within are taken apart: ``settings.issuer`` is a field of its own.
    """
    was, becomes = dict(_leaves(before)), dict(_leaves(after))
    names = sorted({*was, *becomes})
    return tuple(FieldDifference(name, was.get(name), becomes.get(name)) for name in names)


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield from _leaves(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, inner


def base_digest(before: Mapping[str, Any]) -> str:
    """Return SHA-256 (hex) of the RFC 8785 form of what a request was based on."""
    return hashlib.sha256(canonical(dict(before))).hexdigest()


def change_digest(
    kind: str, target: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> str:
    """Return SHA-256 (hex) of the whole change: an approval is of this one and no other."""
    whole = {"kind": kind, "target": target, "before": dict(before), "after": dict(after)}
    return hashlib.sha256(canonical(whole)).hexdigest()
