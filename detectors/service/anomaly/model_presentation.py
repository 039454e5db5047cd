"""Models and judged sign-ins as JSON: one shape for API and command line."""

from __future__ import annotations

from typing import Any

from detectors.core.anomaly.features import LEVELS
from detectors.core.events.text import texts_of
from detectors.models.anomalies import Judgement, ModelRecord
from detectors.service.anomaly.login_history import text_of
from secops.kernel.clock import to_rfc3339
from secops.kernel.logs import StoredEvent


def model_json(record: ModelRecord) -> dict[str, Any]:
    """Return a model with its card."""
    return {
        "id": record.id,
        "kind": record.kind,
        "state": record.state,
        "made_at": to_rfc3339(record.made_at),
        "sha256": record.digest,
        "signed_by": sorted(record.signatures),
        "card": dict(record.card),
        "drift": dict(record.drift),
    }


def login_json(event: StoredEvent) -> dict[str, Any]:
    """Return a judged sign-in: who, what was decided, and why; no address is known here."""
    fields = event.event.fields
    risk = text_of(fields, "details.risk")
    return {
        "event_id": event.event.id,
        "at": to_rfc3339(event.event.at),
        "account": text_of(fields, "user.id"),
        "session": text_of(fields, "target").partition("session:")[2],
        "answer": text_of(fields, "details.answer"),
        "alert": text_of(fields, "details.alert") == "true",
        "risk": int(risk) / 1_000_000 if risk.isdigit() else None,
        "model": text_of(fields, "details.model"),
        "why": list(texts_of(fields.get("details.why", ()))),
        "features": {
            name: text_of(fields, f"details.{name}") for name in (*LEVELS, "hour", "peers")
        },
        "note": text_of(fields, "details.note"),
    }


def judgement_json(said: Judgement) -> dict[str, Any]:
    """Return what a person said of a sign-in."""
    return {
        "session": said.session_id,
        "verdict": said.verdict,
        "by": said.by,
        "at": to_rfc3339(said.at),
        "reason": said.reason,
    }


def card_text(value: Any) -> str:
    """Return an entry of a model card as one line of text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
