"""Joins the console's pages into one route table."""

from __future__ import annotations

from itertools import chain

from secops.console import audits, detectors, home, iam, kms, playbooks, signin, situation
from secops.console.parts import ConsoleParts, Desk
from secops.console.render import Renderer
from secops.console.statics import ROUTES
from secops.web.routes import Route


def console_routes(parts: ConsoleParts) -> tuple[Route, ...]:
    """Return every route of the console."""
    desk = Desk(
        parts,
        Renderer(parts.demo, parts.version, parts.clock, warned=parts.iam.recoveries.is_waiting),
    )
    rooms = (signin, home, situation, iam, kms, detectors, playbooks, audits)
    return (*ROUTES, *chain.from_iterable(room.routes(desk) for room in rooms))
