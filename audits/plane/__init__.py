"""Wires the audits plane."""

from __future__ import annotations

from audits.adapters.folders import TileFolder
from audits.adapters.shipped_rules import shipped_rules
from audits.api import routes
from audits.jobs import jobs
from audits.models import AuditsOptions
from audits.plane.assessments import Surroundings, build_assessments
from audits.plane.catalogues import build_catalogues
from audits.plane.collectors import build_collectors
from audits.plane.ledger import build_ledger, measure_ledger, open_ledger_files
from audits.plane.rectification import build_rectification_desk, rectification_evidence
from audits.plane.register import build_records, build_systems
from audits.plane.reports import build_reports, open_report_files
from audits.plane.templates import build_templates
from audits.ports import AuditsPorts
from audits.ports.assessments import AnnexSources
from audits.service import AuditsServices
from audits.service.erasure import PersonTraceService
from audits.service.holds import HoldService
from audits.service.rectification import build_rectification
from audits.service.rules_watch import RulesWatch
from audits.service.systems.scopes import Scopes
from audits.store.erasure import PersonTraces
from audits.store.holds import DatabaseHolds
from audits.store.systems import DatabaseAssets, DatabaseSystems
from secops.kernel.parts import Parts
from secops.web.routes import Plane

__all__ = ["install", "measure_ledger", "open_ledger_files", "open_report_files"]


def install(parts: Parts, ports: AuditsPorts, options: AuditsOptions) -> Plane:
    """Return the plane, its ledger opened (or made, the first time)."""
    ledger, cosigning = build_ledger(parts, ports, options)
    scopes = Scopes(parts.transactions, DatabaseSystems(), DatabaseAssets())
    register, records = build_systems(parts, ports), build_records(parts)
    rectified = rectification_evidence(parts)
    collectors = build_collectors(parts, scopes)
    sources = (
        ports.evidence,
        rectified,
        register.evidence,
        records.evidence,
        collectors.evidence,
    )
    annexes = AnnexSources(
        tasks=rectified.task_rows,
        waivers=rectified.waiver_rows,
        risks=rectified.risk_rows,
        records=lambda actor, scope, at: [
            *records.document_rows(actor, scope, at),
            *rectified.scan_rows(actor, scope, at),
        ],
    )
    assessing = build_assessments(parts, scopes, Surroundings(sources, annexes, ports.roles))
    assessments = assessing.assessments
    desk = build_rectification_desk(parts, ports, scopes, sources)
    templates = build_templates(parts)
    reports, archives = build_reports(parts, ports, ledger, assessments, templates)
    services = AuditsServices(
        ledger=ledger,
        cosigning=cosigning,
        holds=HoldService(parts, DatabaseHolds()),
        traces=PersonTraceService(DatabaseHolds(), PersonTraces()),
        folder_sink=TileFolder,
        assessments=assessments,
        answers=assessing.answers,
        controls=assessing.controls,
        schedules=assessing.schedules,
        rounds=assessing.rounds,
        reports=reports,
        archives=archives,
        templates=templates,
        rectification=build_rectification(desk),
        register=register,
        records=records,
        collectors=collectors,
        catalogues=build_catalogues(parts),
        rules_watch=RulesWatch(parts, ledger.store, shipped_rules),
    )
    return Plane("audits", services, routes(services), jobs(services))
