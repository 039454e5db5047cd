"""Accounts, roles, sessions, resets, identity providers upstream."""

from __future__ import annotations

from secops.console.iam import (
    accounts,
    applications,
    approvals,
    break_glass,
    consents,
    imports,
    legal_persons,
    locks,
    matrix,
    organisations,
    own,
    policies,
    upstreams,
)
from secops.console.parts import Desk
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of identity's pages."""
    return (
        *accounts.routes(desk),
        *approvals.routes(desk),
        *imports.routes(desk),
        *matrix.routes(desk),
        *organisations.routes(desk),
        *own.routes(desk),
        *legal_persons.routes(desk),
        *consents.routes(desk),
        *applications.routes(desk),
        *upstreams.routes(desk),
        *policies.routes(desk),
        *locks.routes(desk),
        *break_glass.routes(desk),
    )
