"""Records of evidence: how they stand, what they say as facts, how they stand in a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from audits.core.register.dates import date_text, standing
from audits.models.evidence import Fact
from audits.models.records import RECORD_KINDS, Record, RecordKind, RecordState
from secops.kernel.catalogue import in_both
from secops.kernel.clock import DAY

_STATES: Final[Mapping[str, RecordState]] = {"good": "valid", "soon": "soon", "late": "expired"}
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "md": "text/markdown",
    "ofd": "application/ofd",
    "pdf": "application/pdf",
    "png": "image/png",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
"""Media types by suffix; anything else, pages with scripts too, is only bytes."""
BYTES: Final = "application/octet-stream"


def record_state(record: Record, now: int) -> RecordState:
    """Return how a record stands at ``now``."""
    if record.withdrawn_at:
        return "withdrawn"
    return _STATES[standing(record.expires_at, now)]


def media_type_of(filename: str) -> str:
    """Return the media type that the name's suffix stands for."""
    return MEDIA_TYPES.get(filename.rpartition(".")[2].lower(), BYTES)


def record_facts(records: Sequence[Record], at: int) -> dict[RecordKind, dict[str, Fact]]:
    """Return the facts of each kind of which there is a record; withdrawn ones don't count.

    ``valid`` are not expired, ``ending`` of them end within 60 days; ``next_expiry_days`` is
    left out where none of the valid ones ends. Documents count also by their evidence kind.
    """
    found: dict[RecordKind, dict[str, Fact]] = {}
    for kind in RECORD_KINDS:
        mine = [r for r in records if r.kind == kind and not r.withdrawn_at]
        if mine:
            found[kind] = _facts(mine, at)
    return found


def _facts(records: Sequence[Record], at: int) -> dict[str, Fact]:
    states = [record_state(record, at) for record in records]
    valid = [r for r, state in zip(records, states, strict=True) if state != "expired"]
    facts: dict[str, Fact] = {
        "count": len(records),
        "valid": len(valid),
        "expired": states.count("expired"),
        "ending": states.count("soon"),
        "newest_age_days": (at - max(record.held_at for record in records)) // DAY,
    }
    ends = [record.expires_at for record in valid if record.expires_at]
    if ends:
        facts["next_expiry_days"] = (min(ends) - at) // DAY
    if records[0].kind == "document":
        facts |= Counter(record.evidence_kind for record in valid)
    return facts


def record_row(record: Record, at: int) -> dict[str, Any]:
    """Return a record as it stands in an assessment's document."""
    kind = RECORD_KINDS[record.kind]
    return {
        "id": record.id,
        "kind": record.kind,
        "kind_title": in_both(kind),
        "evidence_kind": record.evidence_kind,
        "title": record.title,
        "system": record.system_id,
        "person": record.person,
        "items": list(record.items),
        "held_on": date_text(record.held_at),
        "expires_on": last_day(record.expires_at),
        "state": record_state(record, at),
        "filename": record.filename,
        "size": record.size,
        "sha256": record.sha256,
    }


def last_day(ends_at: int) -> str:
    """Return the last day before ``ends_at``, nothing for 0."""
    return date_text(ends_at - 1) if ends_at else ""
