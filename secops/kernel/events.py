"""Announcements between planes: written with their cause, delivered at least once.

A plane announces inside its unit of work (``Transaction.announce``); the outbox delivers
in order to the handlers that ``secops/bridges`` subscribes. Handlers are idempotent: the
event's ``id`` never changes between deliveries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, TypeVar

from secops.kernel.errors import Invalid

E = TypeVar("E", bound="Announcement")


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened, in the organisation ``org_id``."""

    name: ClassVar[str] = ""

    org_id: str


@dataclass(frozen=True, slots=True)
class AlertRaised(Announcement):
    """A detector raised an alert (``severity``: low, medium, high or critical)."""

    name: ClassVar[str] = "alert_raised"

    alert_id: str
    rule_id: str
    severity: str
    subjects: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SubjectRiskChanged(Announcement):
    """The risk (0 to 100) of ``subject`` (``account:…``, ``address:…``) changed."""

    name: ClassVar[str] = "subject_risk_changed"

    subject: str
    risk: int
    reason: str


@dataclass(frozen=True, slots=True)
class SessionRevoked(Announcement):
    """A session ended before its time."""

    name: ClassVar[str] = "session_revoked"

    session_id: str
    account_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SealUsed(Announcement):
    """A seal was put on something whose SM3 digest is ``digest`` (hex)."""

    name: ClassVar[str] = "seal_used"

    seal_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class ControlStatusChanged(Announcement):
    """An automatic check of a control item gave another status than before."""

    name: ClassVar[str] = "control_status_changed"

    item_id: str
    before: str
    after: str


ANNOUNCEMENTS: Final[dict[str, type[Announcement]]] = {
    kind.name: kind
    for kind in (AlertRaised, SubjectRiskChanged, SessionRevoked, SealUsed, ControlStatusChanged)
}


def to_record(announcement: Announcement) -> dict[str, Any]:
    """Return ``announcement`` as a JSON object with its name."""
    return {"name": announcement.name, **asdict(announcement)}


def from_record(record: Mapping[str, Any]) -> Announcement:
    """Return the announcement that ``to_record`` wrote; raise ``Invalid`` for another."""
    fields = dict(record)
    kind = ANNOUNCEMENTS.get(str(fields.pop("name", "")))
    if kind is None:
        msg = "no announcement has this name"
        raise Invalid(msg)
    return kind(**fields)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery: ``id`` is the same at every repeat."""

    id: int
    at: int
    announcement: Announcement


@dataclass(frozen=True, slots=True)
class Subscription:
    """``handle`` receives every announcement of ``kind``; ``name`` keys its progress."""

    name: str
    kind: type[Announcement]
    handle: Callable[[Delivery], None]
