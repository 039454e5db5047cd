"""HTTP of the plane."""

from __future__ import annotations

from iam.service import IamServices
from secops.web.routes import Route


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the plane's routes."""
    return ()
