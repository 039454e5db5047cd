"""Self-assessment: look at real state, judge, store, enter what persons judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from audits.core.gbt22239.assess import conclude, count, coverage, judge, rate
from audits.core.gbt22239.catalogue import LEVELS
from audits.core.reports import document_of, snapshot_content
from audits.errors import UnknownStandard
from audits.models.compliance import (
    STATUSES,
    Assessment,
    AssessmentSummary,
    Catalogue,
    PersonEntry,
    Snapshot,
    Status,
)
from audits.ports.compliance import Assessments, Catalogues, EvidenceSource
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid, TooLarge
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import ASSESS, ENTER_JUDGEMENT, READ_ASSESSMENTS
from secops.kernel.trail import Act

THIS_INSTANCE: Final = "this"
_MAX_REASON: Final = 2_000
_MAX_DAYS: Final = 366
_MAX_DOCUMENT: Final = 20 << 20

_SCOPE: Final = Text(
    "核查对象仅为本平台实例自身;主机、网络设备、机房等对象不在自动核查范围内。",
    "The only object checked is this instance; hosts, network devices and rooms are not.",
)
_DERIVED: Final = Text(
    "管理类条目编号由顺序推得,引用前请与 GB/T 28448 核对。",
    "Identifiers of management items were derived by order: check them against GB/T 28448.",
)
_RATE: Final = Text(
    "符合率为推算:未找到官方公式,严格计与加权计并列;未核查计入分母。",
    "The rate is an estimate: no official formula was found; not-assessed items count below.",
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a named person enters for one item, valid for ``days`` (at most a year)."""

    item_id: str
    status: Status
    reason: str
    person: str
    evidence_digest: str = ""
    days: int = 180


@dataclass(frozen=True, slots=True)
class AssessmentService:
    """Assesses this instance against a standard."""

    parts: Parts
    store: Assessments
    catalogues: Catalogues
    evidence: EvidenceSource

    def assess(
        self, actor: Actor, standard: str, level: int, system_id: str = THIS_INSTANCE
    ) -> Assessment:
        """Look at everything anew and return the stored assessment."""
        self.parts.access.require(actor, ASSESS, f"assessment:{standard}")
        catalogue = self._catalogue(standard, level)
        now = self.parts.clock.now()
        snapshots = [self._keep(snapshot) for snapshot in self.evidence(actor, now)]
        entries = self.parts.transactions.read(
            lambda tx: self.store.entries(tx, actor.org_id, system_id)
        )
        verdicts = judge(catalogue, level, snapshots, entries, now)
        counts = count(verdicts)
        assessment = Assessment(
            id=self.parts.ids.new("asm"),
            org_id=actor.org_id,
            standard=standard,
            edition=catalogue.edition,
            level=level,
            system_id=system_id,
            made_at=now,
            made_by=actor.name,
            verdicts=verdicts,
            counts=counts,
            coverage=coverage(counts),
            rate=rate(counts),
            score=None,
            conclusion=conclude(counts),
            notes=(_SCOPE, _DERIVED, _RATE),
            facts={snapshot.kind: snapshot.digest for snapshot in snapshots},
        )
        self._store(actor, assessment)
        return assessment

    def _catalogue(self, standard: str, level: int) -> Catalogue:
        if level not in LEVELS:
            raise UnknownStandard(f"{standard} has no level {level}")
        return self.catalogues.read(standard)

    def _keep(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, digest=self.parts.blobs.put(snapshot_content(snapshot)))

    def _store(self, actor: Actor, assessment: Assessment) -> None:
        document = canonical(document_of(assessment))
        judged, applicable = assessment.coverage
        summary = AssessmentSummary(
            id=assessment.id,
            org_id=assessment.org_id,
            system_id=assessment.system_id,
            standard=assessment.standard,
            level=assessment.level,
            made_at=assessment.made_at,
            made_by=assessment.made_by,
            judged=judged,
            applicable=applicable,
        )
        act = Act(
            "audits.assess",
            actor,
            f"assessment:{assessment.id}",
            details={
                "standard": assessment.standard,
                "level": assessment.level,
                "judged": judged,
                "applicable": applicable,
                "document": self.parts.blobs.put(document),
                "evidence": dict(assessment.facts),
            },
        )

        def work(tx: Any) -> None:
            self.store.add(tx, summary, document)
            tx.record(act)

        self.parts.transactions.run(work)

    def enter_judgement(
        self, actor: Actor, standard: str, judgement: Judgement, system_id: str = THIS_INSTANCE
    ) -> PersonEntry:
        """Store what a named person judged; it counts from the next assessment on."""
        self.parts.access.require(actor, ENTER_JUDGEMENT, f"assessment:{standard}")
        self._check(standard, judgement)
        now = self.parts.clock.now()
        entry = PersonEntry(
            id=self.parts.ids.new("ent"),
            org_id=actor.org_id,
            system_id=system_id,
            item_id=judgement.item_id,
            status=judgement.status,
            reason=judgement.reason.strip(),
            evidence_digest=judgement.evidence_digest,
            account_id=actor.id,
            person=judgement.person.strip(),
            at=now,
            expires_at=now + judgement.days * DAY,
        )
        details = {
            "item": entry.item_id,
            "status": entry.status,
            "evidence": entry.evidence_digest,
            "expires_at": entry.expires_at,
        }
        act = Act("audits.enter_judgement", actor, f"item:{entry.item_id}", details=details)

        def work(tx: Any) -> None:
            self.store.add_entry(tx, entry)
            tx.record(act)

        self.parts.transactions.run(work)
        return entry

    def keep_document(self, actor: Actor, content: bytes) -> str:
        """Keep a document as evidence; return its SHA-256 (hex)."""
        self.parts.access.require(actor, ENTER_JUDGEMENT, "assessment:evidence")
        if len(content) > _MAX_DOCUMENT:
            raise TooLarge(f"a document has at most {_MAX_DOCUMENT} bytes")
        return self.parts.blobs.put(content)

    def _check(self, standard: str, judgement: Judgement) -> None:
        known = {item.id for item in self.catalogues.read(standard).items}
        if judgement.item_id not in known:
            raise Invalid(f"{standard} has no item {judgement.item_id!r}")
        if judgement.status not in STATUSES or judgement.status == "unassessed":
            raise Invalid("the status is compliant, partial, noncompliant or not_applicable")
        if not judgement.person.strip():
            raise Invalid("the person who judged must be named")
        if not 0 < len(judgement.reason.strip()) <= _MAX_REASON:
            raise Invalid(f"a reason of at most {_MAX_REASON} characters is needed")
        if not 1 <= judgement.days <= _MAX_DAYS:
            raise Invalid(f"an entry is valid for 1 to {_MAX_DAYS} days")

    def list_assessments(self, actor: Actor, page: PageRequest) -> Page[AssessmentSummary]:
        """Return the organisation's assessments, newest first."""
        self.parts.access.require(actor, READ_ASSESSMENTS, "assessment:*")
        return self.parts.transactions.read(lambda tx: self.store.page(tx, actor.org_id, page))

    def show_assessment(self, actor: Actor, assessment_id: str) -> Mapping[str, Any]:
        """Return the document of one assessment."""
        self.parts.access.require(actor, READ_ASSESSMENTS, f"assessment:{assessment_id}")
        document: Mapping[str, Any] = orjson.loads(
            self.parts.transactions.read(
                lambda tx: self.store.document(tx, actor.org_id, assessment_id)
            )
        )
        return document

    def entries(self, actor: Actor, system_id: str = THIS_INSTANCE) -> Sequence[PersonEntry]:
        """Return what persons entered, oldest first."""
        self.parts.access.require(actor, READ_ASSESSMENTS, "assessment:*")
        return self.parts.transactions.read(
            lambda tx: self.store.entries(tx, actor.org_id, system_id)
        )
