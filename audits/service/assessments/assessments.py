"""Self-assessment: look at real state, judge, store, enter what persons judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from audits.core.documents import document_of, fact_name
from audits.core.drift import changes_between
from audits.core.evidence_lists import evidence_list
from audits.core.gbt22239.assess import count, coverage, rate
from audits.models.assessments import (
    Annexes,
    Assessment,
    AssessmentSummary,
    Delta,
    PersonEntry,
    Status,
)
from audits.models.systems import THIS_INSTANCE, Scope
from audits.ports.assessments import AnnexSources, Assessments
from audits.service.assessments.entering import Judgement, check_kept, checked, entry_of
from audits.service.assessments.inquiry import Inquiry, Looked
from audits.service.assessments.noting import Noting
from audits.service.systems.scopes import Scopes
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Text
from secops.kernel.errors import NotFound, TooLarge
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import ASSESS, ENTER_JUDGEMENT, READ_ASSESSMENTS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_MAX_DOCUMENT: Final = 20 << 20
_MOST_SHOWN: Final = 40
_SCOPE: Final = Text(
    "核查对象为所列系统及其已登记资产;未登记的主机、网络设备、机房等不在范围内。",
    "What is checked is the system named and its registered assets; nothing else is in scope.",
)
_MOST_PAST: Final = 23
"""Earlier assessments that a report draws a line over: monthly, two years."""


@dataclass(frozen=True, slots=True)
class AssessmentParts:
    """What assessments are made with beside their store."""

    scopes: Scopes
    inquiry: Inquiry
    noting: Noting
    annexes: AnnexSources


@dataclass(frozen=True, slots=True)
class AssessmentService:
    """Assesses systems against a standard."""

    parts: Parts
    store: Assessments
    means: AssessmentParts

    def assess(
        self, actor: Actor, standard: str, level: int, system_id: str = THIS_INSTANCE
    ) -> Assessment:
        """Look at everything anew and return the stored assessment."""
        self.parts.access.require(actor, ASSESS, f"assessment:{standard}")
        self.means.inquiry.catalogue(standard, level)
        scope = self.means.scopes.scope(actor, system_id)
        looked = self.means.inquiry.look(actor, scope, standard, level)
        self.means.inquiry.keep(looked.snapshots)
        made = self._assessment(actor, standard, level, looked)
        self._store(actor, made)
        return made

    def _assessment(self, actor: Actor, standard: str, level: int, looked: Looked) -> Assessment:
        judged, counts = looked.judged, count(looked.judged.verdicts)
        past, delta = self._past(actor, (looked.scope.system.id, standard, level), looked)
        return Assessment(
            id=self.parts.ids.new("asm"),
            org_id=actor.org_id,
            standard=standard,
            edition=looked.catalogue.edition,
            level=level,
            scope=looked.scope,
            made_at=looked.at,
            made_by=actor.name,
            verdicts=judged.verdicts,
            counts=counts,
            coverage=coverage(counts),
            rate=rate(counts),
            score=judged.score,
            conclusion=judged.conclusion,
            notes=(_SCOPE, *judged.notes),
            facts={fact_name(snapshot): snapshot.digest for snapshot in looked.snapshots},
            calculations=judged.calculations,
            cases=judged.cases,
            majors=judged.majors,
            annexes=self._annexes(actor, looked.scope, looked.at),
            delta=delta,
            past=past,
            catalogue_digest=looked.catalogue.digest,
        )

    def _annexes(self, actor: Actor, scope: Scope, now: int) -> Annexes:
        sources = self.means.annexes
        return Annexes(
            tasks=sources.tasks(actor, scope, now),
            waivers=sources.waivers(actor, scope, now),
            risks=sources.risks(actor, scope, now),
            records=sources.records(actor, scope, now),
        )

    def _past(
        self, actor: Actor, of: tuple[str, str, int], looked: Looked
    ) -> tuple[tuple[AssessmentSummary, ...], Delta | None]:
        """Return the last assessments of the same, oldest first, and what changed since."""

        def read(tx: Transaction) -> tuple[Sequence[AssessmentSummary], bytes]:
            past = self.store.past(tx, actor.org_id, of, _MOST_PAST)
            return past, self.store.document(tx, actor.org_id, past[0].id) if past else b""

        past, document = self.parts.transactions.read(read)
        if not past:
            return (), None
        before: dict[str, Status] = {
            item["id"]: item["status"] for item in orjson.loads(document)["items"]
        }
        changes = changes_between(before, looked.judged.verdicts)
        return tuple(reversed(past)), Delta(past[0].id, past[0].made_at, changes)

    def _store(self, actor: Actor, made: Assessment) -> None:
        document = canonical(document_of(made))
        judged, applicable = made.coverage
        system = made.scope.system
        listed = evidence_list(dict(made.facts))
        if listed.content:
            self.parts.blobs.put(listed.content)
        summary = AssessmentSummary(
            id=made.id,
            org_id=made.org_id,
            system_id=system.id,
            standard=made.standard,
            level=made.level,
            made_at=made.made_at,
            made_by=made.made_by,
            judged=judged,
            applicable=applicable,
            counts={str(status): n for status, n in made.counts.items()},
        )
        act = Act(
            "audits.assess",
            actor,
            f"assessment:{made.id}",
            details={
                "standard": made.standard,
                "level": made.level,
                "judged": judged,
                "applicable": applicable,
                "document": self.parts.blobs.put(document),
                "evidence": listed.said,
            },
        )
        key = (made.org_id, system.id, made.standard, made.level)

        def work(tx: Transaction) -> None:
            self.store.add(tx, summary, document)
            self.means.noting.note(
                tx, key, made.verdicts, cause=made.id, watched=made.level == system.level
            )
            tx.record(act)

        self.parts.transactions.run(work)

    def enter_judgement(
        self, actor: Actor, standard: str, judgement: Judgement, system_id: str = THIS_INSTANCE
    ) -> PersonEntry:
        """Store what a named person judged; it counts from the next assessment on."""
        self.parts.access.require(actor, ENTER_JUDGEMENT, f"assessment:{standard}")
        scope = self.means.scopes.scope(actor, system_id)
        catalogue = self.means.inquiry.catalogue(standard, scope.system.level)
        judgement = checked(catalogue, scope, judgement)
        named = judgement.evidence_digest
        check_kept(self.parts.blobs, (named,) if named else ())
        entry = entry_of(
            actor,
            judgement,
            system_id,
            entry_id=self.parts.ids.new("ent"),
            now=self.parts.clock.now(),
        )
        details = {
            "system": system_id,
            "item": entry.item_id,
            "object": entry.object_id,
            "status": entry.status,
            "evidence": entry.evidence_digest,
            "expires_at": entry.expires_at,
        }
        act = Act("audits.enter_judgement", actor, f"item:{entry.item_id}", details=details)

        def work(tx: Transaction) -> None:
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

    def show_evidence(self, actor: Actor, assessment_id: str, digest: str) -> Mapping[str, Any]:
        """Return a snapshot that the assessment rests on; raise ``NotFound`` for any other.

        A document that a person entered has no facts: what it is stands with its record.
        """
        document = self.show_assessment(actor, assessment_id)
        if digest not in set(document["facts"].values()):
            raise NotFound(f"the assessment rests on no snapshot {digest[:64]!r}")
        content: Mapping[str, Any] = orjson.loads(self.parts.blobs.get(digest))
        return content

    def show_item(
        self, actor: Actor, assessment_id: str, item_id: str
    ) -> tuple[Mapping[str, Any], Mapping[str, Any], Sequence[Mapping[str, Any]]]:
        """Return the assessment's document, one item of it, and what its evidence says.

        Of the evidence at most the first 40 snapshots, each as it was kept. Raises ``NotFound``.
        """
        document = self.show_assessment(actor, assessment_id)
        found = next((item for item in document["items"] if item["id"] == item_id), None)
        if found is None:
            raise NotFound(f"the assessment has no item {item_id[:40]!r}")
        kept = set(document["facts"].values())
        shown = dict.fromkeys(one["sha256"] for one in found["evidence"] if one["sha256"] in kept)
        contents = [
            {**orjson.loads(self.parts.blobs.get(digest)), "sha256": digest}
            for digest in list(shown)[:_MOST_SHOWN]
        ]
        return document, found, contents
