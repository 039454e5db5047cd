"""Wires reports and archives: rendering, sealing, verification."""

from __future__ import annotations

import time

from audits.adapters.archives import ArchiveZip, JinjaArchivePages, sink_at
from audits.adapters.rendering import Renderer
from audits.adapters.report_signatures import EngineReportVerifier
from audits.adapters.signatures import EngineVerifier
from audits.core.oscal import OSCAL
from audits.core.report_parts import read_pdf
from audits.core.rfc6962 import SM3
from audits.ports import AuditsPorts
from audits.service.assessments.assessments import AssessmentService
from audits.service.ledger.ledger import LedgerService
from audits.service.reports.archives import ArchiveParts, ArchiveService
from audits.service.reports.files import ReportFiles
from audits.service.reports.reports import ReportParts, ReportService
from audits.service.reports.sealing import Sealing
from audits.service.reports.templates import ReportTemplateService
from audits.store.reports import DatabaseExportedReports
from secops.kernel.parts import Parts


def build_reports(
    parts: Parts,
    ports: AuditsPorts,
    ledger: LedgerService,
    assessments: AssessmentService,
    templates: ReportTemplateService,
) -> tuple[ReportService, ArchiveService]:
    """Return what exports reports, and what exports archives of them."""
    store = DatabaseExportedReports()
    tools = ReportParts(
        renderer=Renderer(OSCAL, read_pdf),
        sm3=SM3.digest,
        sealing=Sealing(
            parts, store, ports.report_signer, ledger.files, ledger.sequencer, pause=time.sleep
        ),
        store=store,
        files=open_report_files(),
        templates=templates,
        protection=ports.protection,
    )
    reports = ReportService(parts, assessments, tools)
    archive_parts = ArchiveParts(JinjaArchivePages(), ArchiveZip, sink_at)
    return reports, ArchiveService(parts, assessments, reports, archive_parts)


def open_report_files() -> ReportFiles:
    """Return what verifies reports over files alone."""
    return ReportFiles(EngineReportVerifier(), EngineVerifier(), SM3.digest)
