"""The situation page (态势感知)."""

from __future__ import annotations

from secops.console.parts import Desk
from secops.console.situation import page
from secops.web.routes import Route


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the situation."""
    return page.routes(desk)
