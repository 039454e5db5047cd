"""Incidents: opened from alerts, moved on by people, every step in the timeline."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from playbooks.core.drill import marked
from playbooks.core.gbt20986 import Classification
from playbooks.core.incident import MAX_TEXT, allowed_from, change_state
from playbooks.core.reporting import LEVELS
from playbooks.core.texts import at_most, bounded
from playbooks.core.versions import require_version
from playbooks.errors import AlertNotFound
from playbooks.errors.drills import DrillMixed
from playbooks.models import INCIDENT_STATES, AlertSummary, Incident, IncidentState
from playbooks.models.incident_work import Deed
from playbooks.models.incidents import SEVERITIES, Ending
from playbooks.models.views import IncidentView
from playbooks.ports import IncidentFilter
from playbooks.service.incidents.linking import MAX_TITLE, link_of
from playbooks.service.incidents.observables import see_subjects
from playbooks.service.incidents.openers import incident_about, store_opened
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.incidents.work_views import work_of
from playbooks.service.runs.run_views import RunViews
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.pages import MAX_LIMIT, Page, PageRequest
from secops.kernel.permissions.playbooks import (
    INCIDENT_CHANGE,
    INCIDENT_OPEN,
    INCIDENT_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_LESSONS: Final = 8_000
_FREE_TEXT: Final = ("cause", "lessons")


@dataclass(frozen=True, slots=True)
class NewIncident:
    """What an incident is opened with: an alert, or a title of its own.

    ``discovered_at`` (UTC microseconds) starts the clocks; default: the alert's creation,
    else now.
    """

    alert_id: str | None = None
    title: str = ""
    severity: str = "medium"
    discovered_at: int | None = None
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person sets about an incident; None leaves it as it is.

    ``basis`` says what the level was judged by. An incident that is no longer of ``version``
    is not judged by what was seen of it; None takes whatever stands there.
    """

    category: str | None = None
    level: str | None = None
    reporting_level: str | None = None
    cause: str | None = None
    lessons: str | None = None
    basis: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class StateChange:
    """Why, as what an incident is closed from triage, and of which version it was read.

    ``version`` None takes whatever stands there.
    """

    reason: str = ""
    ending: Ending | None = None
    duplicate_of: str = ""
    version: int | None = None


NO_CHANGE: Final = StateChange()


class IncidentService:
    """Opens, shows and moves incidents."""

    def __init__(self, surroundings: Surroundings, views: RunViews, rights: IncidentRights) -> None:
        self._s = surroundings
        self._views = views
        self._rights = rights

    @property
    def classification(self) -> Classification:
        """GB/T 20986-2023 as data."""
        return self._s.classification

    def open_incident(self, actor: Actor, new: NewIncident) -> Incident:
        """Open an incident; raise ``AlertNotFound`` or ``AlertLinked``."""
        self._s.parts.access.require(actor, INCIDENT_OPEN, "incident:*")
        alert = None if new.alert_id is None else self._alert(actor, new.alert_id)
        incident = self._new(actor, new, alert)

        self._s.parts.transactions.run(lambda tx: store_opened(self._s, tx, actor, incident, alert))
        return incident

    def link_alert(self, actor: Actor, incident_id: str, alert_id: str) -> None:
        """Tie one more alert to an incident."""
        self._s.parts.access.require(actor, INCIDENT_CHANGE, f"incident:{incident_id}")
        alert = self._alert(actor, alert_id)

        def work(tx: Transaction) -> None:
            self._rights.require(tx, actor, incident_id, "work")
            incident = self._s.stores.incidents.get(tx, actor.org_id, incident_id)
            if incident.drill != (alert.kind == "drill"):
                raise DrillMixed
            self._s.stores.incidents.link(tx, link_of(incident_id, alert, tx.now))
            see_subjects(self._s, tx, incident_id, alert, actor.id)
            place = (actor.org_id, incident_id)
            self._s.tell(tx, actor, place, "alert", f"关联告警:{alert.title}", alert_id=alert_id)
            details = {"alert_id": alert_id}
            tx.record(
                Act("playbooks.link_alert", actor, f"incident:{incident_id}", details=details)
            )

        with self._rights.refusals("link_alert", actor, incident_id):
            self._s.parts.transactions.run(work)

    def add_note(self, actor: Actor, incident_id: str, text: str) -> None:
        """Add a person's line to the timeline."""
        self._s.parts.access.require(actor, INCIDENT_CHANGE, f"incident:{incident_id}")
        note = bounded(text, MAX_TEXT, "note")

        def work(tx: Transaction) -> None:
            self._s.stores.incidents.get(tx, actor.org_id, incident_id)
            self._s.tell(tx, actor, (actor.org_id, incident_id), "note", note)
            digest = hashlib.sha256(note.encode()).hexdigest()
            tx.record(
                Act(
                    "playbooks.add_note",
                    actor,
                    f"incident:{incident_id}",
                    details={"sha256": digest},
                )
            )

        self._s.parts.transactions.run(work)

    def change_state(
        self, actor: Actor, incident_id: str, state: IncidentState, change: StateChange = NO_CHANGE
    ) -> Incident:
        """Move the incident on; raise ``TransitionRefused``, or ``MemberRoleRefused``."""
        self._s.parts.access.require(actor, INCIDENT_CHANGE, f"incident:{incident_id}")
        if state not in INCIDENT_STATES:
            msg = f"states are {', '.join(INCIDENT_STATES)}"
            raise Invalid(msg)
        reason = change.reason

        def work(tx: Transaction) -> Incident:
            before = self._s.stores.incidents.get(tx, actor.org_id, incident_id)
            deed: Deed = "close" if "closed" in (state, before.state) else "work"
            self._rights.require(tx, actor, incident_id, deed)
            require_version(before.id, before.version, change.version)
            after = change_state(before, state, at=tx.now, reason=reason, ending=change.ending)
            after = replace(after, duplicate_of=self._original(tx, after, change.duplicate_of))
            self._s.stores.incidents.change(tx, after)
            names = f"{INCIDENT_STATES[before.state].zh} → {INCIDENT_STATES[state].zh}"
            why = reason.strip()[:MAX_TEXT]
            text = f"{names}:{why}" if why else names
            place = (actor.org_id, incident_id)
            self._s.tell(tx, actor, place, "state", text, before=before.state, after=state)
            details: dict[str, str | int | None] = {"before": before.state, "after": state}
            details |= {"ending": after.ending} if after.ending else {}
            tx.record(
                Act("playbooks.change_state", actor, f"incident:{incident_id}", details=details)
            )
            return after

        with self._rights.refusals("change_state", actor, incident_id):
            return self._s.parts.transactions.run(work)

    def _original(self, tx: Transaction, incident: Incident, original: str) -> str:
        """Return the incident that ``incident`` doubles; "" for none."""
        if not original.strip():
            if incident.ending == "duplicate":
                msg = "name the incident that it doubles"
                raise Invalid(msg)
            return incident.duplicate_of
        if incident.ending != "duplicate" or original == incident.id:
            msg = "only a duplicate names another incident"
            raise Invalid(msg)
        return self._s.stores.incidents.get(tx, incident.org_id, original.strip()).id

    def judge_incident(self, actor: Actor, incident_id: str, judgement: Judgement) -> Incident:
        """Set class, levels or cause; raise ``Invalid`` for words outside the standards."""
        self._s.parts.access.require(actor, INCIDENT_CHANGE, f"incident:{incident_id}")
        changes = self._checked(judgement)
        basis = at_most(judgement.basis, MAX_TEXT, "basis")

        def work(tx: Transaction) -> Incident:
            before = self._s.stores.incidents.get(tx, actor.org_id, incident_id)
            self._rights.require(tx, actor, incident_id, "judge")
            require_version(before.id, before.version, judgement.version)
            after = replace(
                before,
                version=before.version + 1,
                category=changes.get("category", before.category),
                level=changes.get("level", before.level),
                reporting_level=changes.get("reporting_level", before.reporting_level),
                cause=changes.get("cause", before.cause),
                lessons=changes.get("lessons", before.lessons),
            )
            self._s.stores.incidents.change(tx, after)
            told = {k: "已记录" if k == "lessons" else v for k, v in changes.items()}
            text = ";".join(f"{name} = {value}" for name, value in told.items())
            text += f"(依据:{basis})" if basis else ""
            self._s.tell(tx, actor, (actor.org_id, incident_id), "judged", f"研判:{text}")
            recorded = {k: v for k, v in changes.items() if k not in _FREE_TEXT}
            tx.record(
                Act("playbooks.judge_incident", actor, f"incident:{incident_id}", details=recorded)
            )
            return after

        with self._rights.refusals("judge_incident", actor, incident_id):
            return self._s.parts.transactions.run(work)

    def list_incidents(
        self, actor: Actor, state: str, page: PageRequest, *, drills: bool = True
    ) -> Page[Incident]:
        """Return incidents of the caller's organisation; ``state`` may be "open" or ""."""
        self._s.parts.access.require(actor, INCIDENT_READ, "incident:*")
        if state not in (*INCIDENT_STATES, "open", ""):
            msg = f"state is open or one of {', '.join(INCIDENT_STATES)}"
            raise Invalid(msg)
        wanted = IncidentFilter(actor.org_id, state, drills)
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.incidents.list(tx, wanted, page)
        )

    def show_incident(self, actor: Actor, incident_id: str) -> IncidentView:
        """Return all about an incident."""
        self._s.parts.access.require(actor, INCIDENT_READ, f"incident:{incident_id}")
        return self.view(actor.org_id, incident_id)

    def view(self, org_id: str, incident_id: str) -> IncidentView:
        """Return all about an incident, for a caller who was authorised."""
        stores = self._s.stores

        def work(tx: Transaction) -> IncidentView:
            incident = stores.incidents.get(tx, org_id, incident_id)
            runs = stores.runs.list(tx, org_id, incident_id, PageRequest(MAX_LIMIT))
            return IncidentView(
                incident=incident,
                alerts=tuple(stores.incidents.links(tx, org_id, incident_id)),
                timeline=tuple(stores.timelines.of(tx, org_id, incident_id)),
                clocks=self._s.clocks_of(tx, incident, tx.now),
                runs=tuple(self._views.of(tx, run) for run in runs.items),
                next_states=tuple(sorted(allowed_from(incident.state))),
                seen_at=tx.now,
                work=work_of(self._s, tx, incident),
            )

        return self._s.parts.transactions.read(work)

    def _alert(self, actor: Actor, alert_id: str) -> AlertSummary:
        alert = self._s.ports.alerts.get_alert(actor.org_id, alert_id)
        if alert is None:
            msg = f"no alert {alert_id[:80]}"
            raise AlertNotFound(msg)
        return alert

    def _new(self, actor: Actor, new: NewIncident, alert: AlertSummary | None) -> Incident:
        now = self._s.parts.clock.now()
        discovered = new.discovered_at or (alert.created_at if alert else now)
        if not 0 <= discovered <= now:
            msg = "an incident can't be discovered in the future, or before 1970"
            raise Invalid(msg)
        if alert is not None:
            if new.drill and alert.kind != "drill":
                raise DrillMixed  # what really happened is never put aside as an exercise
            incident = incident_about(self._s, actor, alert)
            wanted = new.title or alert.title
            title = bounded(marked(wanted) if incident.drill else wanted, MAX_TITLE, "title")
            return replace(incident, title=title, discovered_at=discovered)
        if new.severity not in SEVERITIES:
            msg = f"severity is one of {', '.join(SEVERITIES)}"
            raise Invalid(msg)
        return Incident(
            id=self._s.parts.ids.new("inc"),
            org_id=actor.org_id,
            title=bounded(marked(new.title) if new.drill else new.title, MAX_TITLE, "title"),
            state="triage",
            severity=new.severity,
            opened_by=actor.id,
            opened_at=now,
            discovered_at=discovered,
            drill=new.drill,
        )

    def _checked(self, judgement: Judgement) -> dict[str, str]:
        classification = self.classification
        changes: dict[str, str] = {}
        if judgement.category is not None:
            changes["category"] = classification.require_class(judgement.category).code
        if judgement.level is not None:
            changes["level"] = classification.require_level(judgement.level).code
        if judgement.reporting_level is not None:
            if judgement.reporting_level not in LEVELS:
                msg = f"reporting_level is one of {', '.join(LEVELS)}"
                raise Invalid(msg)
            changes["reporting_level"] = judgement.reporting_level
        if judgement.cause is not None:
            changes["cause"] = bounded(judgement.cause, MAX_TEXT, "cause")
        if judgement.lessons is not None:
            changes["lessons"] = bounded(judgement.lessons, MAX_LESSONS, "lesson")
        if not changes:
            msg = "nothing to set"
            raise Invalid(msg)
        return changes
