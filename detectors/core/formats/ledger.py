"""Our own ledger's records as events: the platform watches itself.

What the detectors and the ledger write of their own work is no event: a closed segment makes
an act, and would make a segment again, without end. What a witness answered is one all the same,
and that the shipped rules changed: each is said once when it begins, and becomes an alert.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from detectors.core.events.text import canonical_list, canonical_scalar
from detectors.core.formats.record import BadLine, Parsed
from secops.kernel.logs import Value

SOURCE: Final = "govsecops"
DATASET: Final = "govsecops.ledger"
ENTRY: Final = "ledger.entry"
"""The entry's index: ``secops audits prove`` takes it."""
_OUTCOMES: Final = {"done": "success", "refused": "failure", "failed": "failure"}
_OWN_WORK: Final = ("detectors.", "audits.")
_ALARMS: Final = frozenset({"audits.ask_witness", "audits.load_rules"})


def parse_act(record: bytes) -> Parsed | None:
    """Return the event of a leaf record (``kernel.trail.encode_act``); None for own work.

    Raises ``BadLine`` for a record that is none of ours.
    """
    try:
        act = orjson.loads(record)
        at, action, actor = act["at"], act["action"], act["actor"]
        is_own_work = actor["kind"] == "system" and action.startswith(_OWN_WORK)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        reason = "not_an_act"
        raise BadLine(reason) from error
    if is_own_work and action not in _ALARMS:
        return None
    named = {
        "event.dataset": DATASET,
        "event.module": SOURCE,
        "event.action": action,
        "event.outcome": _OUTCOMES.get(act.get("outcome"), "unknown"),
        "user.id": actor.get("id"),
        "user.kind": actor.get("kind"),
        "organization.id": actor.get("org"),
        "session.id": actor.get("session"),
        "client.id": actor.get("client"),
        "target": act.get("target"),
        "http.request.id": act.get("request"),
    }
    fields: dict[str, Value] = {}
    for name, value in named.items():
        text = canonical_scalar(value)
        if text is not None:
            fields[name] = text
    _details(fields, act.get("details"))
    return Parsed(at, fields)


def _details(fields: dict[str, Value], details: Any) -> None:
    """Add the details that are plain or lists of plain values."""
    for name, value in (details if isinstance(details, Mapping) else {}).items():
        if isinstance(value, Mapping):
            continue
        text = canonical_list(value) if isinstance(value, list) else canonical_scalar(value)
        if text is not None:
            fields[f"details.{name}"] = text
