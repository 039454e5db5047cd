"""The one formula of alert ids: the same finding has the same id however often it is found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from secops.kernel.canonical import canonical_record


def alert_id(detector: str, group: Sequence[str], first_event: str) -> str:
    """Return the id of what ``detector`` found for ``group`` from ``first_event`` on."""
    record: Mapping[str, object] = {
        "detector": detector,
        "group": list(group),
        "first": first_event,
    }
    return f"alr_{hashlib.sha256(canonical_record(record)).hexdigest()[:40]}"
