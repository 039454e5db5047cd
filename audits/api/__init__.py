"""HTTP of the audits plane."""

from __future__ import annotations

from audits.api.assessments import assessment_routes
from audits.api.ledger import ledger_routes
from audits.service import AuditsServices
from secops.web.routes import Route

__all__ = ["routes"]


def routes(services: AuditsServices) -> tuple[Route, ...]:
    """Return all routes of the plane."""
    return (
        *ledger_routes(services.ledger),
        *assessment_routes(services.assessments, services.reports),
    )
