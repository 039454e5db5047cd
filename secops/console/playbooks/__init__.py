"""Incidents and playbook runs."""

from secops.console.parts import Desk
from secops.console.playbooks import (
    bindings,
    deliveries,
    duty,
    early_warnings,
    filings,
    incidents,
    notices,
    notifications,
    playbooks,
    runs,
)
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the plane's pages."""
    return (
        *incidents.routes(desk),
        *filings.routes(desk),
        *runs.routes(desk),
        *playbooks.routes(desk),
        *bindings.routes(desk),
        *notifications.routes(desk),
        *duty.routes(desk),
        *notices.routes(desk),
        *deliveries.routes(desk),
        *early_warnings.routes(desk),
    )
