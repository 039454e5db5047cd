"""Accounts, roles, sessions, resets, identity providers upstream."""

from __future__ import annotations

from secops.console.iam import applications, locks, pages, policies, upstreams
from secops.console.parts import Desk
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of identity's pages."""
    return (
        *pages.routes(desk),
        *applications.routes(desk),
        *upstreams.routes(desk),
        *policies.routes(desk),
        *locks.routes(desk),
    )
