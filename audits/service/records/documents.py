"""Records of evidence as JSON, for every face."""

from __future__ import annotations

from typing import Any

from audits.core.register.dates import date_text
from audits.core.register.records import last_day
from audits.models.records import Record
from audits.service.records.records import RecordView
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def record_document(view: RecordView) -> dict[str, Any]:
    """Return a record and how it stands; its document is asked for apart."""
    record = view.record
    return {
        "id": record.id,
        "version": record.version,
        "kind": record.kind,
        "evidence_kind": record.evidence_kind,
        "title": record.title,
        "system": record.system_id,
        "person": record.person,
        "note": record.note,
        "items": list(record.items),
        "held_on": date_text(record.held_at),
        "expires_on": last_day(record.expires_at),
        "state": view.state,
        "filename": record.filename,
        "media_type": record.media_type,
        "size": record.size,
        "sha256": record.sha256,
        "uploaded_by": record.uploaded_by,
        "uploaded_at": to_rfc3339(record.uploaded_at),
        "withdrawn_at": rfc3339_or_none(record.withdrawn_at or None),
        "withdrawn_reason": record.withdrawn_reason,
    }


def download_name(record: Record) -> str:
    """Return the name that a record's document is given out under: strangers named the file."""
    return f"{record.id}{suffix_of(record.filename)}"


def suffix_of(filename: str) -> str:
    """Return the suffix of a file's name where it is plain, with its dot."""
    suffix = filename.rpartition(".")[2]
    return f".{suffix}" if suffix != filename and suffix.isascii() and suffix.isalnum() else ""
