"""What the services of rectification and risks work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import orjson

from audits.core.gbt22239.judging import Checks
from audits.core.texts import at_most, bounded
from audits.errors import ChangedMeanwhile
from audits.errors.rectification import PersonNotFound
from audits.models.rectification import HistoryEvent, Person, RectificationTask, Waiver
from audits.models.risks import Risk, ScanScope
from audits.ports.assessments import Assessments, EvidenceSource
from audits.ports.catalogues import Catalogues
from audits.ports.rectification import FindPerson, History, Tasks, Waivers
from audits.ports.risks import Findings, Risks, Scans, SevereAlerts
from audits.service.refusals import refusals_recorded
from audits.service.systems.scopes import Scopes
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions import Permission
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

T = TypeVar("T")

MAX_REASON: Final = 2_000
MAX_DUE: Final = 2 * 366 * DAY
MAX_FILE: Final = 20 << 20


@dataclass(frozen=True, slots=True)
class RectificationStores:
    """Where everything of rectification and risks is kept."""

    tasks: Tasks
    history: History
    waivers: Waivers
    risks: Risks
    scans: Scans
    findings: Findings

    def scan_scopes(self, tx: Transaction, org_id: str, system_id: str) -> tuple[ScanScope, ...]:
        """Return the scopes of a system ("" for all), by system and scope."""
        standing = self.findings.standing_by_scope(tx, org_id, system_id)
        return tuple(
            ScanScope(last, standing.get((last.system_id, last.scope), 0))
            for last in self.scans.lasts(tx, org_id, system_id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RectificationDesk:
    """The plane's parts, stores and neighbours; ``checks`` are those of each standard."""

    parts: Parts
    stores: RectificationStores
    assessments: Assessments
    catalogues: Catalogues
    scopes: Scopes
    sources: Sequence[EvidenceSource]
    checks: Mapping[str, Checks]
    find_person: FindPerson
    severe_alerts: SevereAlerts

    def run(
        self,
        actor: Actor,
        permission: Permission,
        verb: str,
        target: str,
        work: Callable[[Transaction], T],
    ) -> T:
        """Run ``work`` as a unit for who may; refusals are entered in the ledger."""
        self.parts.access.require(actor, permission, target)
        with refusals_recorded(self.parts, f"audits.{verb}", actor, target):
            return self.parts.transactions.run(work)

    def tell(
        self, tx: Transaction, actor: Actor, about: str, deed: str, state: str, **more: Any
    ) -> None:
        """Add to the history of ``about`` (``kind:id``) and enter the act in the ledger.

        ``note`` is the person's text, which stays in the history; ``details`` go into both.
        """
        note, details = more.pop("note", ""), dict(more.pop("details", {}))
        event = HistoryEvent(
            org_id=actor.org_id,
            subject_id=about.partition(":")[2],
            seq=0,
            at=tx.now,
            actor_id=actor.id,
            actor_name=actor.name,
            deed=deed,
            state=state,
            note=note,
            details=details,
        )
        self.stores.history.add(tx, event)
        tx.record(Act(f"audits.{deed}", actor, about, details={"state": state, **details}))

    def document(self, actor: Actor, assessment_id: str) -> Mapping[str, Any]:
        """Return the document of a stored assessment of the caller's organisation."""
        content = self.parts.transactions.read(
            lambda tx: self.assessments.document(tx, actor.org_id, assessment_id)
        )
        document: Mapping[str, Any] = orjson.loads(content)
        return document

    def person(self, actor: Actor, name: str) -> Person:
        """Return the account of this name or id in the caller's organisation."""
        wanted = bounded(name, 200, "name")
        found = self.find_person(actor.org_id, wanted)
        if found is None:
            raise PersonNotFound(f"no account {wanted[:60]!r}")
        return found


def require_person(actor: Actor) -> None:
    """Raise ``Forbidden`` for a program: a named person decides here."""
    if actor.kind != "account":
        raise Forbidden("a named person decides, no program")


def require_version(stored: RectificationTask | Waiver | Risk, seen: int) -> None:
    """Raise ``ChangedMeanwhile`` where ``stored`` is another version than the one ``seen``."""
    if stored.version != seen:
        raise ChangedMeanwhile(f"{stored.id} changed since it was read")


def require_due(due_at: int, now: int) -> int:
    """Return a deadline ahead of ``now`` by at most two years; raise ``Invalid`` otherwise."""
    if not now < due_at <= now + MAX_DUE:
        raise Invalid("a deadline lies ahead, within two years")
    return due_at


def reason_of(text: str) -> str:
    """Return a reason of 1 to 2,000 characters; raise ``Invalid`` otherwise."""
    return bounded(text, MAX_REASON, "reason")


def note_of(text: str) -> str:
    """Return a text of at most 2,000 characters, maybe none; raise ``Invalid`` otherwise."""
    return at_most(text, MAX_REASON, "text")
