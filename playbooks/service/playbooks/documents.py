"""Playbooks as JSON documents: the same over HTTP and on the command line."""

from __future__ import annotations

from typing import Any

import orjson

from playbooks.core.cacao20.graph import extension_of, steps_of
from playbooks.models import StoredPlaybook
from playbooks.models.playbooks import ImportedPlaybook, PlaybookView
from secops.kernel.clock import rfc3339_or_none


def playbook_document(playbook: StoredPlaybook) -> dict[str, Any]:
    """Return an entry of the register without its content."""
    return {
        "content_hash": playbook.content_hash,
        "playbook_id": playbook.playbook_id,
        "modified": playbook.modified,
        "name": playbook.name,
        "state": playbook.state,
        "signature": playbook.signature,
        "imported_by": playbook.imported_by,
        "imported_at": rfc3339_or_none(playbook.imported_at),
        "approved_by": playbook.approved_by,
        "approved_at": rfc3339_or_none(playbook.approved_at),
        "approval_id": playbook.approval_id,
    }


def playbook_view_document(view: PlaybookView) -> dict[str, Any]:
    """Return an entry with what was verified of its signature just now."""
    return {
        **playbook_document(view.entry),
        "signature": view.origin,
        "signed_by": view.signed_by,
        "signed_at": view.signed_at,
        "refused": view.refused,
        "packaged": view.packaged,
    }


def imported_document(imported: ImportedPlaybook) -> dict[str, Any]:
    """Return a new entry with what import changed in it."""
    changes = [
        {"place": one.place, "code": one.code, "detail": one.detail} for one in imported.changes
    ]
    return {**playbook_document(imported.entry), "changes": changes}


def outline_of(playbook: StoredPlaybook) -> list[dict[str, str]]:
    """Return each step that does something: its name, type, commands and arguments."""
    found: list[dict[str, str]] = []
    for step in steps_of(orjson.loads(playbook.content)).values():
        if step["type"] in ("start", "end"):
            continue
        commands = [one for one in step.get("commands", ()) if isinstance(one, dict)]
        does = [" ".join(str(one.get(k, "")) for k in ("type", "command")) for one in commands]
        args = extension_of(step).get("args", {})
        found.append(
            {
                "name": str(step.get("name", "")),
                "type": str(step["type"]),
                "does": "; ".join(does)[:500],
                "args": ", ".join(f"{k} = {v}" for k, v in sorted(args.items()))[:500],
            }
        )
    return found
