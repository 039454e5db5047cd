"""Sign-in, enrolment, sign-out and the reader's preferences.

The console is a relying party of our own provider: ``/signin`` starts an authorization
request, ``/login`` proves who it is to the provider, ``/login/callback`` redeems the code.
"""

from __future__ import annotations

from secops.console.parts import Desk
from secops.console.signin import (
    certificates,
    device,
    factors,
    messages,
    pages,
    resets,
    step_up,
    upstream,
)
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of sign-in, step-up and one's own factors."""
    return (
        *pages.routes(desk),
        *device.routes(desk),
        *certificates.routes(desk),
        *factors.routes(desk),
        *messages.routes(desk),
        *resets.routes(desk),
        *step_up.routes(desk),
        *upstream.routes(desk),
    )
