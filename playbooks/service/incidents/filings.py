"""Reports to the authorities: declared to be owed, and filed, which stops their clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from playbooks.errors import DutyAbsent, DutyFiled
from playbooks.models import Incident
from playbooks.models.filings import DUTIES, Duty, Filing
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.clock import rfc3339_or_none
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import INCIDENT_CHANGE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class NewFiling:
    """A report that went out. ``filed_at`` (UTC microseconds) defaults to now.

    ``filed_to`` says by which channel (12387, 传真…); ``reference`` is the receiver's number.
    """

    duty: str
    filed_at: int | None = None
    filed_to: str = ""
    reference: str = ""


class FilingService:
    """Declares duties that a person must judge, and enters reports that were sent.

    By who works on the incident: a false entry would stop a clock of the law.
    """

    def __init__(self, surroundings: Surroundings, rights: IncidentRights) -> None:
        self._s = surroundings
        self._rights = rights

    def declare_duty(self, actor: Actor, incident_id: str, duty: str) -> Filing:
        """Start the clock of a duty that only a person can judge to apply.

        Raises ``Invalid`` for a duty that needs no declaration, ``DutyFiled`` for a second.
        """
        self._s.parts.access.require(actor, INCIDENT_CHANGE, f"incident:{incident_id}")
        rule = self._s.library.reporting_rule()
        declarable = sorted(entry["name"] for entry in rule["clocks"] if entry.get("declared"))
        if duty not in declarable:
            msg = f"what can be declared is {', '.join(declarable)}"
            raise Invalid(msg)

        def work(tx: Transaction) -> Filing:
            self._rights.require(tx, actor, incident_id, "work")
            filing = Filing(incident_id, duty, actor.org_id, actor.id, tx.now)
            if not self._s.stores.filings.declare(tx, filing):
                msg = f"{duty} was declared before"
                raise DutyFiled(msg)
            place = (actor.org_id, incident_id)
            name = DUTIES[cast("Duty", duty)].zh
            self._s.tell(tx, actor, place, "duty", f"认定适用:{name}", duty=duty)
            self._record(tx, actor, "declare_duty", filing)
            return filing

        with self._rights.refusals("declare_duty", actor, incident_id):
            return self._s.parts.transactions.run(work)

    def file_report(self, actor: Actor, incident_id: str, new: NewFiling) -> Filing:
        """Enter that a report was sent; raise ``DutyAbsent``, ``DutyFiled`` or ``Invalid``.

        The first entry counts: what is filed can't be dated anew.
        """
        self._s.parts.access.require(actor, INCIDENT_CHANGE, f"incident:{incident_id}")
        if new.duty not in DUTIES:
            msg = f"duties are {', '.join(DUTIES)}"
            raise Invalid(msg)
        if max(len(new.filed_to), len(new.reference)) > MAX_WORDS:
            msg = f"channel and reference have at most {MAX_WORDS} characters"
            raise Invalid(msg)

        def work(tx: Transaction) -> Filing:
            self._rights.require(tx, actor, incident_id, "work")
            incident = self._s.stores.incidents.get(tx, actor.org_id, incident_id)
            filing = self._filing(tx, actor, incident, new)
            if not self._s.stores.filings.file(tx, filing):
                msg = f"{new.duty} was filed before"
                raise DutyFiled(msg)
            self._tell(tx, actor, filing)
            self._record(tx, actor, "file_report", filing)
            return filing

        with self._rights.refusals("file_report", actor, incident_id):
            return self._s.parts.transactions.run(work)

    def _filing(self, tx: Transaction, actor: Actor, incident: Incident, new: NewFiling) -> Filing:
        running = self._s.clocks_of(tx, incident, tx.now)
        if new.duty not in {clock.name for clock in running}:
            msg = f"{new.duty} is not owed"
            raise DutyAbsent(msg)
        filed_at = tx.now if new.filed_at is None else new.filed_at
        if not incident.discovered_at <= filed_at <= tx.now:
            msg = "a report is sent after the discovery and before now"
            raise Invalid(msg)
        return Filing(
            incident_id=incident.id,
            duty=new.duty,
            org_id=actor.org_id,
            declared_by=actor.id,
            declared_at=tx.now,
            filed_at=filed_at,
            filed_by=actor.id,
            filed_to=new.filed_to.strip(),
            reference=new.reference.strip(),
        )

    def _tell(self, tx: Transaction, actor: Actor, filing: Filing) -> None:
        name = DUTIES[cast("Duty", filing.duty)].zh
        parts = (f"已报送:{name}", filing.filed_to, filing.reference)
        text = " ".join(part for part in parts if part)
        place = (filing.org_id, filing.incident_id)
        self._s.tell(tx, actor, place, "duty", text, duty=filing.duty)

    @staticmethod
    def _record(tx: Transaction, actor: Actor, verb: str, filing: Filing) -> None:
        details = {
            "duty": filing.duty,
            "filed_at": rfc3339_or_none(filing.filed_at),
            "reference": filing.reference,
        }
        tx.record(
            Act(f"playbooks.{verb}", actor, f"incident:{filing.incident_id}", details=details)
        )
