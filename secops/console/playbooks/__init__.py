"""Incidents and playbook runs."""

from secops.console.parts import Desk
from secops.console.playbooks import (
    bindings,
    deliveries,
    drills,
    duty,
    early_warnings,
    emergency_plans,
    evidence,
    filings,
    incident_work,
    incidents,
    notices,
    notifications,
    playbooks,
    response_times,
    runs,
)
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the plane's pages."""
    return (
        *incidents.routes(desk),
        *incident_work.routes(desk),
        *evidence.routes(desk),
        *response_times.routes(desk),
        *emergency_plans.routes(desk),
        *filings.routes(desk),
        *runs.routes(desk),
        *playbooks.routes(desk),
        *bindings.routes(desk),
        *notifications.routes(desk),
        *duty.routes(desk),
        *drills.routes(desk),
        *notices.routes(desk),
        *deliveries.routes(desk),
        *early_warnings.routes(desk),
    )
