"""Alerts, rules, log search and graded data."""

from secops.console.detectors import (
    alert_deadlines,
    alert_page,
    alerts,
    bulk_actions,
    coverage,
    logs,
    models,
    privacy,
    queue,
    rule_folders,
    rules,
    sources,
    triage,
)
from secops.console.parts import Desk
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the plane's pages."""
    return (
        *queue.routes(desk),
        *alert_deadlines.routes(desk),
        *alerts.routes(desk),
        *alert_page.routes(desk),
        *bulk_actions.routes(desk),
        *rules.routes(desk),
        *coverage.routes(desk),
        *rule_folders.routes(desk),
        *logs.routes(desk),
        *models.routes(desk),
        *privacy.routes(desk),
        *sources.routes(desk),
        *triage.routes(desk),
    )
