"""Wires rectification and the register of risks."""

from __future__ import annotations

from collections.abc import Sequence

from audits.adapters.controls import PackagedCatalogues
from audits.core.standards import CHECKS, READERS
from audits.ports import AuditsPorts
from audits.ports.assessments import EvidenceSource
from audits.service.rectification.evidence import RectificationEvidence
from audits.service.rectification_desk import RectificationDesk, RectificationStores
from audits.service.systems.scopes import Scopes
from audits.store.assessments import DatabaseAssessments
from audits.store.rectification import DatabaseHistory, DatabaseTasks, DatabaseWaivers
from audits.store.risks import DatabaseFindings, DatabaseRisks, DatabaseScans
from secops.kernel.parts import Parts


def rectification_evidence(parts: Parts) -> RectificationEvidence:
    """Return what rectification tells assessments and reports."""
    return RectificationEvidence(parts.transactions, _stores())


def build_rectification_desk(
    parts: Parts, ports: AuditsPorts, scopes: Scopes, sources: Sequence[EvidenceSource]
) -> RectificationDesk:
    """Return what the services of rectification and risks work with."""
    return RectificationDesk(
        parts=parts,
        stores=_stores(),
        assessments=DatabaseAssessments(),
        catalogues=PackagedCatalogues(READERS),
        scopes=scopes,
        sources=sources,
        checks=CHECKS,
        find_person=ports.find_person,
        severe_alerts=ports.severe_alerts,
    )


def _stores() -> RectificationStores:
    return RectificationStores(
        tasks=DatabaseTasks(),
        history=DatabaseHistory(),
        waivers=DatabaseWaivers(),
        risks=DatabaseRisks(),
        scans=DatabaseScans(),
        findings=DatabaseFindings(),
    )
