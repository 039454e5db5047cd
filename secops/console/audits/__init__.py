"""The ledger and the self-assessment."""

from secops.console.audits import assessments, ledger
from secops.console.parts import Desk
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the plane's pages."""
    return (*ledger.routes(desk), *assessments.routes(desk))
