"""Bindings as JSON documents, and their terms read from one: the same over HTTP and in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final, cast

from playbooks.core.binding import difference
from playbooks.errors.bindings import BindingInvalid
from playbooks.models.bindings import (
    Answer,
    AutomaticRun,
    Autonomy,
    Binding,
    BindingTerms,
    DryTest,
    Pause,
    terms_document,
)
from secops.kernel.clock import from_rfc3339, rfc3339_or_none, to_rfc3339

WISH_FIELDS: Final = (
    "name",
    "playbook",
    "autonomy",
    "rules",
    "severities",
    "kinds",
    "entities",
    "arguments",
    "cooldown_s",
    "per_hour",
    "valid_from",
    "valid_until",
)
"""What a person says of a binding; the playbook's id, version and hash follow from its name."""


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _pairs(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("name", "playbook", "autonomy", "valid_from", "valid_until"), _text),
    **dict.fromkeys(("rules", "severities", "kinds"), _texts),
    **dict.fromkeys(("entities", "arguments"), _pairs),
    **dict.fromkeys(("cooldown_s", "per_hour"), _number),
}


def read_wish(wish: Mapping[str, Any]) -> tuple[str, BindingTerms]:
    """Return the playbook's name and the terms still without it; raise ``BindingInvalid``."""
    for key, value in wish.items():
        if key not in _KINDS or not _KINDS[key](value):
            msg = f"{key[:60]} is no field of a binding, or of the wrong type"
            raise BindingInvalid(msg)
    if "name" not in wish or "playbook" not in wish:
        msg = "name and playbook are missing"
        raise BindingInvalid(msg)
    terms = BindingTerms(
        name=wish["name"].strip(),
        playbook_id="",
        playbook_version="",
        content_hash="",
        autonomy=cast("Autonomy", wish.get("autonomy", "suggest")),
        rules=tuple(sorted(set(wish.get("rules", ())))),
        severities=tuple(sorted(set(wish.get("severities", ())))),
        kinds=tuple(sorted(set(wish.get("kinds", ())))),
        entities=wish.get("entities", {}),
        arguments=wish.get("arguments", {}),
        cooldown_s=wish.get("cooldown_s", 3_600),
        per_hour=wish.get("per_hour", 5),
        valid_from=_instant(wish.get("valid_from")),
        valid_until=_instant(wish.get("valid_until")),
    )
    return wish["playbook"], terms


def _instant(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        msg = "valid_from and valid_until are UTC times like 2026-12-31T00:00:00Z"
        raise BindingInvalid(msg) from error


def binding_document(binding: Binding) -> dict[str, Any]:
    """Return a binding with the change that waits and its difference."""
    change = binding.change
    before = binding.terms if binding.version else None
    waiting = None
    if change is not None:
        rows = difference_of(before, change.terms)
        waiting = {
            "sha256": change.sha256,
            "withdraws": change.terms is None,
            "requested_by": change.requested_by,
            "requested_at": to_rfc3339(change.requested_at),
            "difference": [{"term": a, "before": b, "after": c} for a, b, c in rows],
        }
    return {
        "id": binding.id,
        "state": binding.state,
        "version": binding.version,
        "terms": _terms(binding.terms),
        "proposed_by": binding.proposed_by,
        "proposed_at": to_rfc3339(binding.proposed_at),
        "approved_by": binding.approved_by or None,
        "approved_at": rfc3339_or_none(binding.approved_at),
        "change": waiting,
    }


def difference_of(
    before: BindingTerms | None, after: BindingTerms | None
) -> tuple[tuple[str, str, str], ...]:
    """Return (term, before, after) for every term that differs, times in UTC."""
    return tuple(
        (name, _readable(name, old), _readable(name, new))
        for name, old, new in difference(before, after)
    )


def _readable(name: str, value: str) -> str:
    timed = name in ("valid_from", "valid_until") and value
    return to_rfc3339(int(value)) if timed else value


def _terms(terms: BindingTerms) -> dict[str, Any]:
    times = {
        "valid_from": rfc3339_or_none(terms.valid_from),
        "valid_until": rfc3339_or_none(terms.valid_until),
    }
    return {**terms_document(terms), **times}


def answer_document(answer: Answer) -> dict[str, Any]:
    """Return what a binding made of an alert."""
    return {**asdict(answer), "at": to_rfc3339(answer.at)}


def pause_document(pause: Pause) -> dict[str, Any]:
    """Return the switch; ``resume_waits`` says that somebody asked to go on."""
    return {
        "org_id": pause.org_id,
        "paused": pause.paused,
        "changed_by": pause.changed_by or None,
        "changed_at": to_rfc3339(pause.changed_at) if pause.changed_at else None,
        "reason": pause.reason,
        "resume_waits": bool(pause.approval_id),
    }


def automatic_document(run: AutomaticRun) -> dict[str, Any]:
    """Return what is kept of a run that began unapproved."""
    return {**asdict(run), "approve_by": to_rfc3339(run.approve_by)}


def dry_test_document(test: DryTest) -> dict[str, Any]:
    """Return which alerts a binding would have answered."""
    return {
        "since": to_rfc3339(test.since),
        "looked_at": test.looked_at,
        "cut": test.cut,
        "matched": [{"alert_id": name, "title": title} for name, title in test.matched],
    }
