"""Which entities an alert is about, in the order in which people ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from detectors.core.events.text import texts_of
from detectors.core.formats.ledger import SOURCE as OWN_SOURCE
from detectors.core.query.evaluate import SOURCE
from detectors.core.subjects import SUBJECT_FIELDS, subjects_of
from detectors.models.alert_page import MAX_CARDS, EntityKind
from secops.kernel.logs import And, LogEvent, Or, Query, Term, Value


class Entity(NamedTuple):
    """Whom or what an alert is about; ``own`` where this platform's own ledger names it.

    Anybody's log may say ``root`` or the id of an account here: what only such a log names is
    not ours for that. An address is the same whoever names it.
    """

    kind: EntityKind
    name: str
    own: bool = True


_SUBJECTS: Final[tuple[tuple[str, EntityKind], ...]] = (
    ("user.id", "account"),
    ("user.name", "account"),
    ("user.target.name", "account"),
    ("source.ip", "address"),
    ("session.id", "session"),
    ("client.id", "client"),
)
_TARGETS: Final[Mapping[str, EntityKind]] = {
    "account": "account",
    "session": "session",
    "client": "client",
    "key": "key",
    "seal": "seal",
}
_FIELDS: Final[Mapping[EntityKind, tuple[str, ...]]] = {
    "account": ("user.id", "user.name"),
    "session": ("session.id",),
    "client": ("client.id",),
    "address": ("source.ip",),
}
_RISKY: Final = frozenset({"account", "session", "address"})


def entities_of(subjects: Mapping[str, str], events: Iterable[LogEvent]) -> tuple[Entity, ...]:
    """Return the entities that ``subjects`` name, and what our own ledger's events were done to.

    Only records of the ledger have targets that mean keys and seals of this instance. They are
    known by their source, to which nobody else writes: any line can hold any field.
    """
    ours = [event.fields for event in events if event.source == OWN_SOURCE]
    said = {subject for fields in ours for subject in subjects_of(fields).items()}
    found: dict[Entity, None] = {}
    for name, kind in _SUBJECTS:
        if value := subjects.get(name):
            found[Entity(kind, value, kind == "address" or (name, value) in said)] = None
    for fields in ours:
        kind_name, _, identifier = texts_of(fields.get("target", ""))[0].partition(":")
        target = _TARGETS.get(kind_name)
        if target is not None and identifier and identifier != "*":
            found.pop(Entity(target, identifier, own=False), None)
            found[Entity(target, identifier)] = None
    return tuple(found)[:MAX_CARDS]


def common_fields(events: Sequence[Mapping[str, Value]]) -> dict[str, str]:
    """Return the fields that say whom ``events`` are about and on which all of them agree.

    They are called as in the events, so that a rule's exception can name them.
    """
    if not events:
        return {}
    first, *rest = events
    found = {}
    for name in SUBJECT_FIELDS:
        value = first.get(name)
        if value and isinstance(value, str) and all(other.get(name) == value for other in rest):
            found[name] = value
    return found


def acts_query(entity: Entity) -> Query:
    """Return the search for what an entity did, or for what was done to a key or seal."""
    kind, name, _ = entity
    fields = _FIELDS.get(kind)
    if fields is None:
        about = Term("target", f"{kind}:{name}", quoted=True)
        return And((Term(SOURCE, OWN_SOURCE, quoted=True), about))
    return Or(tuple(Term(field, name, quoted=True) for field in fields))


def risk_subject(entity: Entity) -> str:
    """Return what an entity's risk hangs on (``account:…``), "" for what carries none."""
    return f"{entity.kind}:{entity.name}" if entity.kind in _RISKY else ""
