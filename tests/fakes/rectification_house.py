"""Rectification and risks over a real SQLite home: evidence, alerts and persons as given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from audits.models.assessments import AssessmentSummary
from audits.models.rectification import Person, RectificationTask, Waiver
from audits.models.risks import SevereAlert
from audits.plane.assessments import Surroundings, build_assessments
from audits.plane.rectification import build_rectification_desk, rectification_evidence
from audits.ports.assessments import AnnexSources, NoRoles
from audits.ports.plane import AuditsPorts
from audits.service.assessments.assessments import AssessmentService
from audits.service.rectification import RectificationServices, build_rectification
from audits.service.rectification.evidence import RectificationEvidence
from audits.service.rectification.tasks import NewTasks, Proof
from audits.service.rectification.waivers import NewWaiver
from audits.service.systems.scopes import Scopes
from audits.store.assessments import DatabaseAssessments
from audits.store.systems import DatabaseAssets, DatabaseSystems
from secops.adapters.journal.reader import JournalReader
from secops.adapters.spine import Spine, journal_folder
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY, to_rfc3339
from tests.fakes.clock import FakeClock
from tests.fakes.evidence import FakeEvidence, FakeReportSigner
from tests.fakes.ledger import FakeDoors, FakeSigner
from tests.fakes.parts import database_spine
from tests.fakes.persons import FakePersons


def person(name: str, role: str, org_id: str = ROOT_ORG) -> Actor:
    """Return somebody with one role."""
    return Actor(
        kind="account",
        id=f"acc_{name}",
        org_id=org_id,
        name=name,
        roles=frozenset({role}),
        level=2,
    )


AUDITOR = person("qian", "auditor")
ANALYST = person("wang", "analyst")
APPROVER = person("zhao", "security-admin")
KEEPER = person("sun", "system-admin")
STRANGER = person("li", "security-admin", "org_other")
EVERYBODY = (AUDITOR, ANALYST, APPROVER, KEEPER, STRANGER)
FAILING = "L3-CES1-06"
"""An item that a machine checks: default accounts."""
MANUAL = "L3-PES1-01"
"""An item that only a person judges."""


@dataclass
class FindingsHouse:
    """One opened home."""

    services: RectificationServices
    assessments: AssessmentService
    evidence: FakeEvidence
    rectified: RectificationEvidence
    spine: Spine
    clock: FakeClock
    persons: FakePersons
    alerts: list[SevereAlert]

    def refused(self) -> list[str]:
        """Return the actions of refusals, in order: they stand in the journal at once."""
        reader = JournalReader(journal_folder(self.spine.parts.home))
        found = [reader.read(process, 0).records for process in reader.processes()]
        records = [orjson.loads(record) for part in found for record in part]
        return [record["action"] for record in records if record["outcome"] == "refused"]

    def fail(self) -> str:
        """Let the item fail; return the id of a small assessment that says so."""
        self.evidence.facts["iam.users"]["default_accounts"] = 2
        return self.keep_assessment(FAILING, "machine", high_risks=[{"item": FAILING}])

    def assess(self) -> str:
        """Let the item fail and the real service assess everything, which takes longer."""
        self.fail()
        return self.assessments.assess(AUDITOR, "gbt22239", 3).id

    def keep_assessment(self, item_id: str, judge: str, **more: Any) -> str:
        """Keep an assessment in which one item fails; return its id."""
        parts, text = self.spine.parts, {"zh": "访问控制", "en": "access control"}
        summary = AssessmentSummary(
            parts.ids.new("asm"), ROOT_ORG, "this", "gbt22239", 3, parts.clock.now(), "qian", 1, 1
        )
        item = {
            "id": item_id,
            "status": "noncompliant",
            "judge": judge,
            "control_point": text,
            "reason": text,
            "objects": [],
        }
        document = {
            "id": summary.id,
            "standard": "gbt22239",
            "level": 3,
            "system": {"id": "this"},
            "made_at": to_rfc3339(summary.made_at),
            "items": [item],
            **more,
        }
        store = DatabaseAssessments()
        parts.transactions.run(lambda tx: store.add(tx, summary, orjson.dumps(document)))
        return summary.id

    def mend(self) -> None:
        """Let the item's check pass."""
        self.evidence.facts["iam.users"]["default_accounts"] = 0

    def task(self, owner: Actor = ANALYST) -> RectificationTask:
        """Return a task made of the failing item."""
        new = NewTasks(owner.name, (FAILING,))
        made = self.services.tasks.make_tasks(ANALYST, self.fail(), new)
        return made.made[0]

    def proved(self, task: RectificationTask, content: bytes = b"") -> RectificationTask:
        """Return the task with its owner's proof, a second later."""
        self.clock.advance(1)
        owner = next(one for one in EVERYBODY if one.id == task.owner_id)
        proof = Proof(task.version, "已停用默认账户", "证明.txt", content)
        return self.services.tasks.give_proof(owner, task.id, proof)

    def waiver(self, days: int = 90) -> Waiver:
        """Return a waiver that the analyst asks for."""
        wish = NewWaiver(FAILING, "厂商设备下月更换", self.clock.now() + days * DAY)
        return self.services.waivers.request_waiver(ANALYST, wish)


@contextmanager
def open_findings_house(home: Path) -> Iterator[FindingsHouse]:
    """Open a home in the folder ``home``."""
    clock, persons, evidence = FakeClock(), FakePersons(), FakeEvidence()
    spine = database_spine(home, clock=clock, persons=persons)
    parts = spine.parts
    scopes = Scopes(parts.transactions, DatabaseSystems(), DatabaseAssets())
    rectified = rectification_evidence(parts)
    alerts: list[SevereAlert] = []

    def given_alerts(actor: Actor, since: int, limit: int) -> Sequence[SevereAlert]:
        found = [alert for alert in alerts if alert.at >= since]
        return found[:limit] if actor.org_id == ROOT_ORG else []

    sources = (evidence, rectified)
    annexes = AnnexSources(
        tasks=rectified.task_rows, waivers=rectified.waiver_rows, risks=rectified.risk_rows
    )
    around = Surroundings(sources, annexes, NoRoles())
    assessing = build_assessments(parts, scopes, around)
    ports = AuditsPorts(
        doors=FakeDoors(),
        signer=FakeSigner(),
        evidence=evidence,
        report_signer=FakeReportSigner(),
        find_person=_find,
        severe_alerts=given_alerts,
    )
    yield FindingsHouse(
        services=build_rectification(build_rectification_desk(parts, ports, scopes, sources)),
        assessments=assessing.assessments,
        evidence=evidence,
        rectified=rectified,
        spine=spine,
        clock=clock,
        persons=persons,
        alerts=alerts,
    )
    spine.close()


def _find(org_id: str, name: str) -> Person | None:
    known = (one for one in EVERYBODY if one.org_id == org_id and name in (one.id, one.name))
    return next((Person(one.id, one.name) for one in known), None)
