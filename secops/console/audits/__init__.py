"""The ledger, assessments and what they stand on: systems, records, bundles."""

from secops.console.audits import (
    assessments,
    assets,
    catalogues,
    collectors,
    holds,
    ledger,
    records,
    rectification,
    report_templates,
    reports,
    risks,
    scans,
    systems,
    walk,
)
from secops.console.parts import Desk
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the plane's pages."""
    return (
        *ledger.routes(desk),
        *assessments.routes(desk),
        *walk.routes(desk),
        *catalogues.routes(desk),
        *collectors.routes(desk),
        *holds.routes(desk),
        *systems.routes(desk),
        *assets.routes(desk),
        *records.routes(desk),
        *report_templates.routes(desk),
        *rectification.routes(desk),
        *reports.routes(desk),
        *scans.routes(desk),
        *risks.routes(desk),
    )
