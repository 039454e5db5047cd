"""Wires the templates of reports."""

from __future__ import annotations

from audits.adapters.controls import PackagedCatalogues
from audits.adapters.rendering import Renderer
from audits.core.oscal import OSCAL
from audits.core.report_parts import read_pdf
from audits.core.sample import sample_document
from audits.core.standards import READERS
from audits.service.reports.templates import ReportTemplateService
from audits.store.templates import DatabaseReportTemplates
from secops.kernel.parts import Parts

_TRIED_WITH = "gbt22239"


def build_templates(parts: Parts) -> ReportTemplateService:
    """Return what keeps templates; they are tried with all items of level 3."""
    catalogues = PackagedCatalogues(READERS)
    return ReportTemplateService(
        parts,
        DatabaseReportTemplates(),
        Renderer(OSCAL, read_pdf),
        lambda: sample_document(catalogues.read(_TRIED_WITH)),
    )
