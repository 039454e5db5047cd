"""Legal holds as JSON, for every face."""

from __future__ import annotations

from typing import Any

from audits.models.holds import LegalHold
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def hold_document(hold: LegalHold) -> dict[str, Any]:
    """Return a hold; the moments of lifting are None while it is in force."""
    return {
        "id": hold.id,
        "matter": hold.matter,
        "reason": hold.reason,
        "since": to_rfc3339(hold.since),
        "until": to_rfc3339(hold.until),
        "placed_by": hold.placed_by,
        "placed_at": to_rfc3339(hold.placed_at),
        "lifted_by": hold.lifted_by or None,
        "lifted_at": rfc3339_or_none(hold.lifted_at or None),
        "lift_reason": hold.lift_reason or None,
    }
