"""What the commands of rectification, risks and scans share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from secops.terminal.output import print_json, print_table
from secops.terminal.session import session_of

_HISTORY: Final = ("at", "actor", "deed", "state", "note")


def rectification_of(ctx: click.Context) -> tuple[Any, Any, int]:
    """Return who acts, the services of rectification and what time it is."""
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    services = session.services(AuditsServices).rectification
    return session.actor, services, services.tasks.desk.parts.clock.now()


def print_with_history(
    title: str, document: Mapping[str, Any], history: Sequence[Mapping[str, Any]], *, as_json: bool
) -> None:
    """Print a task or a risk and what was done to it."""
    if as_json:
        print_json({**document, "history": history})
        return
    rows = [(name, str(value)) for name, value in document.items() if not isinstance(value, dict)]
    print_table(title, ("", ""), rows)
    print_table("History", _HISTORY, [[line[name] for name in _HISTORY] for line in history])
