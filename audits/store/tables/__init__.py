"""The tables of the audits plane in the main database (the ledger's are apart)."""

from audits.store.tables.assessments import (
    assessment_answers,
    assessment_entries,
    assessment_schedules,
    assessments,
    control_changes,
    control_states,
)
from audits.store.tables.collectors import collector_bundles, collector_facts
from audits.store.tables.holds import legal_holds
from audits.store.tables.records import records
from audits.store.tables.rectification import (
    rectification_history,
    rectification_tasks,
    waivers,
)
from audits.store.tables.reports import report_exports
from audits.store.tables.risks import risks, vulnerability_findings, vulnerability_scans
from audits.store.tables.schema import metadata
from audits.store.tables.systems import assets, register_versions, supplier_accesses, systems
from audits.store.tables.templates import report_templates

__all__ = [
    "assessment_answers",
    "assessment_entries",
    "assessment_schedules",
    "assessments",
    "assets",
    "collector_bundles",
    "collector_facts",
    "control_changes",
    "control_states",
    "legal_holds",
    "metadata",
    "records",
    "rectification_history",
    "rectification_tasks",
    "register_versions",
    "report_exports",
    "report_templates",
    "risks",
    "supplier_accesses",
    "systems",
    "vulnerability_findings",
    "vulnerability_scans",
    "waivers",
]
