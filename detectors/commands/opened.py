"""What nearly every command begins with: the plane's services, and who acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secops.terminal.session import session_of

if TYPE_CHECKING:
    import click

    from detectors.service import DetectorsServices
    from secops.kernel.actors import Actor


def opened(ctx: click.Context) -> tuple[DetectorsServices, Actor]:
    """Return the plane's services and who acts."""
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    return session.services(DetectorsServices), session.actor
