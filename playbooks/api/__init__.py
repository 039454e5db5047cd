"""The plane over HTTP: /api/v1/playbooks/*."""

from __future__ import annotations

from playbooks.api import (
    bindings,
    deliveries,
    drills,
    duty,
    early_warnings,
    emergency_plans,
    filings,
    incident_work,
    incidents,
    notices,
    notifications,
    playbooks,
    runs,
)
from playbooks.service import PlaybooksServices
from secops.web.routes import Route


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the plane's routes."""
    return (
        *incidents.routes(services),
        *incident_work.routes(services),
        *emergency_plans.routes(services),
        *filings.routes(services),
        *notices.routes(services),
        *deliveries.routes(services),
        *early_warnings.routes(services),
        *notifications.routes(services),
        *duty.routes(services),
        *drills.routes(services),
        *playbooks.routes(services),
        *bindings.routes(services),
        *runs.routes(services),
    )
