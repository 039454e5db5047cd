"""Incidents and playbook runs."""

from secops.console.parts import Desk
from secops.console.playbooks import duty, filings, incidents, notifications, runs
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the plane's pages."""
    return (
        *incidents.routes(desk),
        *filings.routes(desk),
        *runs.routes(desk),
        *notifications.routes(desk),
        *duty.routes(desk),
    )
