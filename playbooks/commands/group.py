"""The group that the plane's commands join."""

from __future__ import annotations

import click


@click.group("playbooks")
def group() -> None:
    """Open, answer and report incidents; check and run CACAO 2.0 playbooks.

    Example: secops playbooks open-incident --alert ALERT
    """
