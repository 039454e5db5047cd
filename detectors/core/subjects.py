"""Whom an event is about: accounts, addresses, hosts, under one name whatever the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from detectors.core.events.text import texts_of
from secops.kernel.logs import Value

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "user.id": ("user.id",),
    "user.name": ("user.name", "TargetUserName", "SubjectUserName", "User"),
    "user.target.name": ("user.target.name",),
    "source.ip": ("source.ip", "IpAddress", "SourceIp"),
    "host.name": ("host.name", "System.Computer"),
    "session.id": ("session.id",),
    "client.id": ("client.id",),
}
"""Subject → the fields that name it, the first that has a value counts."""
SUBJECT_FIELDS: Final = tuple(dict.fromkeys(name for names in _NAMES.values() for name in names))
"""Every field that says whom an event is about."""
_NOBODY: Final = frozenset({"", "-", "::1", "127.0.0.1"})


def subjects_of(fields: Mapping[str, Value]) -> dict[str, str]:
    """Return the subjects of one event."""
    found = {}
    for subject, names in _NAMES.items():
        for name in names:
            value = fields.get(name)
            text = texts_of(value)[0] if value is not None else ""
            if text not in _NOBODY:
                found[subject] = text
                break
    return found


def common_subjects(events: Sequence[Mapping[str, Value]]) -> dict[str, str]:
    """Return the subjects on which all ``events`` agree."""
    if not events:
        return {}
    first, *rest = [subjects_of(fields) for fields in events]
    return {name: value for name, value in first.items() if all(o.get(name) == value for o in rest)}


def risk_subjects(subjects: Mapping[str, str]) -> tuple[str, ...]:
    """Return what carries risk, in the form of the announcements: ``account:``, ``address:``."""
    found = []
    if account := subjects.get("user.id") or subjects.get("user.name"):
        found.append(f"account:{account}")
    if address := subjects.get("source.ip"):
        found.append(f"address:{address}")
    if session := subjects.get("session.id"):
        found.append(f"session:{session}")
    return tuple(found)
