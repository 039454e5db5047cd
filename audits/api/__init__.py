"""HTTP of the audits plane."""

from __future__ import annotations

from audits.api.answers import answer_routes
from audits.api.assessments import assessment_routes
from audits.api.catalogues import catalogue_routes
from audits.api.collectors import collectors_routes
from audits.api.controls import control_routes
from audits.api.holds import hold_routes
from audits.api.ledger import ledger_routes
from audits.api.records import records_routes
from audits.api.rectification import rectification_routes
from audits.api.reports import report_routes
from audits.api.risks import risk_routes
from audits.api.systems import systems_routes
from audits.api.templates import template_routes
from audits.service import AuditsServices
from secops.web.routes import Route

__all__ = ["routes"]


def routes(services: AuditsServices) -> tuple[Route, ...]:
    """Return all routes of the plane."""
    return (
        *ledger_routes(services.ledger),
        *collectors_routes(services.collectors),
        *catalogue_routes(services.catalogues),
        *hold_routes(services.holds),
        *assessment_routes(services.assessments),
        *answer_routes(services.answers),
        *control_routes(services),
        *rectification_routes(services.rectification),
        *risk_routes(services.rectification),
        *report_routes(services.reports, services.archives),
        *template_routes(services.templates),
        *systems_routes(services.register),
        *records_routes(services.records),
    )
