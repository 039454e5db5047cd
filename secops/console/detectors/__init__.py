"""Alerts, rules and log search."""

from secops.console.detectors import alerts, logs, rules
from secops.console.parts import Desk
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the plane's pages."""
    return (*alerts.routes(desk), *rules.routes(desk), *logs.routes(desk))
