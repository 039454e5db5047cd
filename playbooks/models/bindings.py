"""Bindings alert → playbook: what they answer, how far they may go, and what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Autonomy = Literal["suggest", "approve", "act"]
"""suggest: shown beside the alert · approve: a run waits for approval · act: it begins at once."""
BindingState = Literal["proposed", "active", "withdrawn"]
AnswerOutcome = Literal["suggested", "asked", "acted", "cooled_down"]
AutomaticState = Literal["waiting", "confirmed", "taken_back"]


@dataclass(frozen=True, slots=True)
class BindingTerms:
    """What two people agreed on.

    An alert fits if its rule is one of ``rules``, its severity one of ``severities`` (empty:
    any), its kind one of ``kinds`` (rule, anomaly, …; empty: any), and it names each entity of
    ``entities`` (kind → value, a trailing ``*`` for what begins so). ``arguments`` give
    playbook variables the entity of a kind. ``cooldown_s`` is the rest for the same entities,
    ``per_hour`` the most runs that begin in an hour; instants are UTC microseconds, None for
    open ends.
    """

    name: str
    playbook_id: str
    playbook_version: str
    content_hash: str
    autonomy: Autonomy = "suggest"
    rules: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    entities: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    cooldown_s: int = 3_600
    per_hour: int = 5
    valid_from: int | None = None
    valid_until: int | None = None


def terms_document(terms: BindingTerms) -> dict[str, Any]:
    """Return ``terms`` as a JSON object; instants as text, so that any reader keeps them."""
    value = asdict(terms)
    for name in ("rules", "severities", "kinds"):
        value[name] = sorted(value[name])
    for name in ("valid_from", "valid_until"):
        value[name] = None if value[name] is None else str(value[name])
    return value


def read_terms(value: Mapping[str, Any]) -> BindingTerms:
    """Return what ``terms_document`` wrote."""
    known = {field.name for field in fields(BindingTerms)}
    found = {key: member for key, member in value.items() if key in known}
    for name in ("rules", "severities", "kinds"):
        found[name] = tuple(found[name])
    for name in ("valid_from", "valid_until"):
        found[name] = None if found[name] is None else int(found[name])
    return BindingTerms(**found)


@dataclass(frozen=True, slots=True)
class BindingChange:
    """What waits for another person: new terms, or None to withdraw the binding.

    ``sha256`` (hex) is over the binding's id, the version it changes, both terms.
    """

    terms: BindingTerms | None
    sha256: str
    requested_by: str
    requested_at: int
    approval_id: str


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding of an organisation. ``version`` is 0 until its first terms are approved."""

    id: str
    org_id: str
    state: BindingState
    version: int
    terms: BindingTerms
    proposed_by: str
    proposed_at: int
    approved_by: str = ""
    approved_at: int | None = None
    change: BindingChange | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a binding made of an alert; ``reason`` is a code that says why not more."""

    binding_id: str
    alert_id: str
    org_id: str
    at: int
    outcome: AnswerOutcome
    reason: str = ""
    incident_id: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """The switch that stops every binding of an organisation at once.

    ``approval_id`` is the request to go on that waits, or "".
    """

    org_id: str
    paused: bool
    changed_by: str = ""
    changed_at: int = 0
    reason: str = ""
    approval_id: str = ""


@dataclass(frozen=True, slots=True)
class AutomaticRun:
    """A run that began by a binding before anybody approved it."""

    run_id: str
    org_id: str
    binding_id: str
    binding_version: int
    approval_id: str
    approve_by: int
    state: AutomaticState = "waiting"
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class DryTest:
    """Which alerts since ``since`` a binding would have answered; ``looked_at`` alerts."""

    looked_at: int
    since: int
    matched: tuple[tuple[str, str], ...]
    cut: bool
