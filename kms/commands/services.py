"""What every command of the plane works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secops.terminal.session import session_of

if TYPE_CHECKING:
    import click

    from kms.service import KmsServices


def services_of(ctx: click.Context) -> KmsServices:
    """Return the plane's services of the opened house."""
    from kms.service import KmsServices  # noqa: PLC0415 - quick --help

    return session_of(ctx).services(KmsServices)
