"""A small valid playbook of our profile, to be broken or run in tests."""

from __future__ import annotations

import copy
from typing import Any, Final

from playbooks.core.cacao20.vocabulary import EXTENSION

START: Final = "start--11111111-1111-4111-8111-111111111111"
REVOKE: Final = "action--22222222-2222-4222-8222-222222222222"
LOCK: Final = "action--33333333-3333-4333-8333-333333333333"
NOTIFY: Final = "action--44444444-4444-4444-8444-444444444444"
END: Final = "end--55555555-5555-4555-8555-555555555555"
AGENT: Final = "secops--66666666-6666-4666-8666-666666666666"


def action(command: str, args: dict[str, str], following: str, **extension: Any) -> dict[str, Any]:
    """Return an action step of ours."""
    return {
        "type": "action",
        "name": command,
        "on_completion": following,
        "timeout": 5000,
        "commands": [{"type": "secops", "command": command}],
        "agent": AGENT,
        "step_extensions": {EXTENSION: {"args": args, **extension}},
    }


_PLAYBOOK: Final[dict[str, Any]] = {
    "type": "playbook",
    "spec_version": "cacao-2.0",
    "id": "playbook--77777777-7777-4777-8777-777777777777",
    "name": "Contain an account",
    "created_by": "identity--88888888-8888-4888-8888-888888888888",
    "created": "2026-01-01T00:00:00Z",
    "modified": "2026-01-02T00:00:00Z",
    "playbook_variables": {"__account__": {"type": "string", "external": True}},
    "workflow_start": START,
    "workflow_exception": END,
    "workflow": {
        START: {"type": "start", "on_completion": REVOKE},
        REVOKE: action("session.revoke", {"account": "__account__:value"}, LOCK),
        LOCK: action("account.lock", {"account": "__account__:value"}, NOTIFY),
        NOTIFY: action(
            "notify.send",
            {"channel": "default", "title": "Contained", "text": "__account__:value is locked"},
            END,
        ),
        END: {"type": "end"},
    },
    "agent_definitions": {AGENT: {"type": "secops", "name": "govsecops"}},
    "extension_definitions": {
        EXTENSION: {
            "type": "extension-definition",
            "name": "govsecops step",
            "created_by": "identity--88888888-8888-4888-8888-888888888888",
            "schema": "docs/manual/add_a_playbook_action.md",
            "version": "1.0.0",
        }
    },
}


def playbook() -> dict[str, Any]:
    """Return a fresh copy of a valid linear playbook."""
    return copy.deepcopy(_PLAYBOOK)
