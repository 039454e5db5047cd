"""The group that the plane's commands join."""

from __future__ import annotations

import click


@click.group("audits")
def group() -> None:
    """Show and verify the ledger, assess systems, export reports.

    Example: secops audits verify-ledger --json
    """
