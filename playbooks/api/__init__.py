"""The plane over HTTP: /api/v1/playbooks/*."""

from __future__ import annotations

from playbooks.api import filings, incidents, playbooks, runs
from playbooks.service import PlaybooksServices
from secops.web.routes import Route


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the plane's routes."""
    return (
        *incidents.routes(services),
        *filings.routes(services),
        *playbooks.routes(services),
        *runs.routes(services),
    )
