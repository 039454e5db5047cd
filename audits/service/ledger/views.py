"""The JSON forms of the ledger's values, the same over HTTP and on the command line."""

from __future__ import annotations

from typing import Any

from audits.core.entries import parse_record
from audits.models import Checkpoint, EntryRow, LedgerVerdict, StoredEntry
from audits.service.ledger.devices import DeviceComparison
from secops.kernel.clock import to_rfc3339


def entry_row_view(row: EntryRow) -> dict[str, Any]:
    """Return an entry as it stands in lists."""
    return {
        "index": row.index,
        "at": to_rfc3339(row.at),
        "action": row.action,
        "actor": row.actor_id,
        "org": row.org_id,
        "target": row.target,
        "outcome": row.outcome,
        "request": row.request_id,
    }


def entry_view(stored: StoredEntry) -> dict[str, Any]:
    """Return an entry with its record and leaf hashes (hex)."""
    entry = stored.entry
    return {
        "index": entry.index,
        "record": parse_record(entry.record),
        "sha256_leaf": entry.sha256.hex(),
        "sm3_leaf": entry.sm3.hex(),
    }


def checkpoint_view(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint with both signed notes; roots are hex."""
    return {
        "size": checkpoint.size,
        "at": to_rfc3339(checkpoint.at),
        "sha256_root": checkpoint.sha256_root.hex(),
        "sm3_root": checkpoint.sm3_root.hex(),
        "sha256_note": checkpoint.sha256_note,
        "sm3_note": checkpoint.sm3_note,
    }


def verdict_view(verdict: LedgerVerdict) -> dict[str, Any]:
    """Return the outcome of ``verify_ledger``; roots are hex."""
    bad = verdict.first_bad
    return {
        "valid": verdict.valid,
        "entries": verdict.entries,
        "sha256_root": verdict.sha256_root.hex(),
        "sm3_root": verdict.sm3_root.hex(),
        "checkpoint": None if verdict.checkpoint is None else checkpoint_view(verdict.checkpoint),
        "first_bad": None
        if bad is None
        else {"what": bad.what, "index": bad.index, "why": bad.why},
        "checkpoints": verdict.checkpoints,
        "unsigned": verdict.unsigned,
    }


def device_view(found: DeviceComparison) -> dict[str, Any]:
    """Return what was found on the second audit device."""
    return {
        "records": found.records,
        "gaps": found.gaps,
        "unreadable": found.unreadable,
        "missing": found.missing,
        "named": [
            {"leaf": each.leaf, "action": each.action, "at": to_rfc3339(each.at)}
            for each in found.named
        ],
    }
