"""Bindings alert → playbook: which alerts they fit, and how far a playbook may go unasked.

A binding never acts on a drill. What acts unasked restricts, expires, can be taken back and is
capped; granting, calling out and setting things in stone wait for a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, get_args

from playbooks.core.cacao20.vocabulary import (
    IDENTIFIER,
    RESTRICTING_ACTIONS,
    TIMESTAMP,
    VARIABLE,
)
from playbooks.core.http_calls import HTTP_API
from playbooks.errors.bindings import BindingInvalid, BindingTooFree
from playbooks.models import AlertSummary, Plan, PlannedStep
from playbooks.models.bindings import Autonomy, BindingTerms, terms_document
from playbooks.models.incidents import SEVERITIES
from playbooks.models.runs import UNDO
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY

MAX_NAME: Final = 100
MAX_WORD: Final = 200
MAX_WORDS: Final = 50
MAX_COOLDOWN_S: Final = 30 * 86_400
MAX_PER_HOUR: Final = 100
MAX_VALID: Final = 366 * DAY
DRILL: Final = "drill"
"""The kind of alert that an exercise makes."""
HARMLESS: Final = frozenset({"notify.send", "evidence.collect", "approval.wait"})
"""Actions that take nothing away."""
PASSING: Final = frozenset({"session.revoke", "token.revoke"})
"""What they take is had again by signing in: there is nothing to give back."""
_HASH: Final = 64


def require_terms(terms: BindingTerms) -> None:
    """Raise ``BindingInvalid`` naming the first thing that is wrong with ``terms``."""
    for wrong, reason in (
        (not 1 <= len(terms.name.strip()) <= MAX_NAME, f"a name has 1 to {MAX_NAME} characters"),
        (IDENTIFIER.fullmatch(terms.playbook_id) is None, "playbook_id is playbook--UUID"),
        (TIMESTAMP.fullmatch(terms.playbook_version) is None, "playbook_version is its modified"),
        (len(terms.content_hash) != _HASH, "content_hash is the playbook's"),
        (terms.autonomy not in get_args(Autonomy), "autonomy is suggest, approve or act"),
        (not set(terms.severities) <= set(SEVERITIES), f"severities are {', '.join(SEVERITIES)}"),
        (not (terms.rules or terms.severities), "name rules or severities: never every alert"),
        (not 0 <= terms.cooldown_s <= MAX_COOLDOWN_S, f"cooldown_s is 0 to {MAX_COOLDOWN_S}"),
        (not 1 <= terms.per_hour <= MAX_PER_HOUR, f"per_hour is 1 to {MAX_PER_HOUR}"),
    ):
        if wrong:
            raise BindingInvalid(reason)
    _require_words(terms)
    _require_validity(terms)


def _require_words(terms: BindingTerms) -> None:
    lists = (terms.rules, terms.severities, terms.kinds)
    pairs = (terms.entities, terms.arguments)
    words = [word for words in lists for word in words]
    words += [word for pair in pairs for item in pair.items() for word in item]
    if max(len(part) for part in (*lists, *pairs)) > MAX_WORDS:
        msg = f"at most {MAX_WORDS} of each"
        raise BindingInvalid(msg)
    if any(not 1 <= len(word) <= MAX_WORD for word in words):
        msg = f"each word has 1 to {MAX_WORD} characters"
        raise BindingInvalid(msg)
    if DRILL in terms.kinds:
        msg = "drills are never answered by a binding"
        raise BindingInvalid(msg)
    for name in terms.arguments:
        if VARIABLE.fullmatch(name) is None:
            msg = f"a variable is called __name__, not {name[:60]}"
            raise BindingInvalid(msg)


def _require_validity(terms: BindingTerms) -> None:
    since, until = terms.valid_from, terms.valid_until
    if terms.autonomy == "act" and until is None:
        msg = "what acts by itself has an end: valid_until"
        raise BindingInvalid(msg)
    if since is not None and until is not None and not since < until <= since + MAX_VALID:
        msg = "valid_until is after valid_from, by at most 366 days"
        raise BindingInvalid(msg)


def fits(terms: BindingTerms, alert: AlertSummary) -> bool:
    """Tell whether the terms are about ``alert``; a drill is none of theirs."""
    if alert.kind == DRILL or (terms.kinds and alert.kind not in terms.kinds):
        return False
    return heard(terms, alert.rule_id, alert.severity, alert.subjects)


def heard(terms: BindingTerms, rule_id: str, severity: str, subjects: Mapping[str, str]) -> bool:
    """Tell whether the terms may be about an alert of which only this was announced."""
    return (
        (not terms.rules or rule_id in terms.rules)
        and (not terms.severities or severity in terms.severities)
        and all(subjects.get(kind) for kind in terms.arguments.values())
        and all(_named(subjects.get(kind), wanted) for kind, wanted in terms.entities.items())
    )


def _named(value: str | None, wanted: str) -> bool:
    if not value:
        return False
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def in_force(terms: BindingTerms, now: int) -> bool:
    """Tell whether ``now`` is in the terms' validity."""
    since, until = terms.valid_from, terms.valid_until
    return (since is None or now >= since) and (until is None or now < until)


def given_by(terms: BindingTerms, alert: AlertSummary) -> dict[str, str]:
    """Return the playbook's variables that the alert's entities set."""
    return {name: alert.subjects[kind] for name, kind in terms.arguments.items()}


def entity_of(terms: BindingTerms, alert: AlertSummary) -> str:
    """Return what a cooldown is about, as a digest: the entities the binding works on."""
    kinds = sorted({*terms.arguments.values(), *terms.entities}) or sorted(alert.subjects)
    named = [[kind, alert.subjects.get(kind, "")] for kind in kinds]
    return hashlib.sha256(canonical(named)).hexdigest()


def require_restrained(steps: Sequence[PlannedStep]) -> None:
    """Raise ``BindingTooFree`` unless every step may be done before a person said so.

    Restricting ones have what takes them back, an expiry and a cap; steps after a ``~`` are
    what takes back. A granting one, a call that writes and a notice are never among them.
    """
    for step in steps:
        if step.kind != "action" or step.path.endswith(UNDO) or step.action in HARMLESS:
            continue
        if step.action == HTTP_API and step.args.get("method") == "GET":
            continue
        if step.action not in RESTRICTING_ACTIONS:
            msg = f"{step.name}: {step.action} waits for a person"
            raise BindingTooFree(msg)
        lasting = step.action not in PASSING
        if not step.blast or (lasting and not (step.compensate and step.ttl_s)):
            msg = f"{step.name}: {step.action} needs blast, and compensate and ttl_s if it lasts"
            raise BindingTooFree(msg)


def is_restrained(plan: Plan) -> bool:
    """Tell whether ``plan`` may begin before a person said so."""
    try:
        require_restrained(plan.steps)
    except BindingTooFree:
        return False
    return True


def change_hash(
    binding_id: str, version: int, before: BindingTerms | None, after: BindingTerms | None
) -> str:
    """Return SHA-256 (hex) over exactly what a second person approves."""
    told = [None if one is None else terms_document(one) for one in (before, after)]
    return hashlib.sha256(canonical(["binding-1", binding_id, version, *told])).hexdigest()


def difference(
    before: BindingTerms | None, after: BindingTerms | None
) -> tuple[tuple[str, str, str], ...]:
    """Return (term, before, after) for every term that changes, "" for what isn't there."""
    old = {} if before is None else terms_document(before)
    new = {} if after is None else terms_document(after)
    return tuple(
        (name, _shown(old.get(name)), _shown(new.get(name)))
        for name in (field.name for field in fields(BindingTerms))
        if old.get(name) != new.get(name)
    )


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {member}" for key, member in sorted(value.items()))
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)
