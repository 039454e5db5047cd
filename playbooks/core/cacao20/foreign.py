"""Others' playbooks as drafts of ours: commands that we never run become work done by hand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from playbooks.core.cacao20.check import content_hash
from playbooks.core.cacao20.graph import steps_of
from playbooks.core.cacao20.problems import pointer
from playbooks.core.cacao20.vocabulary import SECOPS
from playbooks.models.playbooks import DraftChange
from secops.kernel.errors import Invalid

RUN_TYPES: Final = frozenset({"manual", "http-api", SECOPS})
MAX_COMMAND: Final = 4_000
"""Characters of a foreign command that a person is shown."""
_NAMESPACE: Final = uuid.UUID("2f0c9b1e-5b0a-5d7e-9a53-6f6a1f0f7c11")


def as_draft(document: Any) -> tuple[Any, tuple[DraftChange, ...]]:
    """Return ``document`` with foreign commands as manual ones, and what was changed.

    What is changed is another playbook: it gets an id of its own (the same at every import),
    names its origin in ``derived_from``, and loses the signatures, which are not about it.
    Nothing else is repaired; what isn't a playbook comes back as it is.
    """
    if not isinstance(document, dict):
        return document, ()
    changes: list[DraftChange] = []
    workflow = {
        name: {**step, "commands": _commands(pointer("/workflow", name), step, changes)}
        if isinstance(step.get("commands"), list)
        else step
        for name, step in steps_of(document).items()
    }
    if not changes:
        return document, ()
    whole = {**document["workflow"], **workflow}
    draft = {key: value for key, value in document.items() if key != "signatures"}
    draft |= {"workflow": whole, "id": _derived_id(document)}
    known = document.get("derived_from")
    draft["derived_from"] = [*(known if isinstance(known, list) else ()), document.get("id")]
    if "signatures" in document:
        changes.append(DraftChange("/signatures", "signatures_dropped"))
    return draft, tuple(changes)


def _commands(place: str, step: Mapping[str, Any], changes: list[DraftChange]) -> list[Any]:
    return [
        _by_hand(f"{place}/commands/{number}", command, changes)
        for number, command in enumerate(step["commands"])
    ]


def _by_hand(place: str, command: Any, changes: list[DraftChange]) -> Any:
    kind = command.get("type") if isinstance(command, dict) else None
    if not isinstance(kind, str) or kind in RUN_TYPES:
        return command
    changes.append(DraftChange(place, "command_by_hand", kind[:60]))
    text = next(
        (command[key] for key in ("command", "command_b64") if isinstance(command.get(key), str)),
        "",
    )
    told = command.get("description")
    said = f" {told}" if isinstance(told, str) else ""
    by_hand = {"type": "manual", "description": f"[{kind[:60]}]{said}"[:MAX_COMMAND]}
    return {**by_hand, "command": text[:MAX_COMMAND]} if text else by_hand


def _derived_id(document: Mapping[str, Any]) -> str:
    try:
        digest = content_hash(document)
    except Invalid:
        digest = ""  # no RFC 8785 form: the check says so of the draft, too
    return f"playbook--{uuid.uuid5(_NAMESPACE, digest)}"
