"""What correlations did not count, on the command line."""

from __future__ import annotations

import click

from secops.terminal.output import json_option, print_json, print_table
from secops.terminal.session import session_of


@click.command("list-uncounted")
@json_option
@click.pass_context
def list_uncounted(ctx: click.Context, *, as_json: bool) -> None:
    """List what hit the rules of a correlation and did not count, and why.

    Example: secops --as analyst detectors list-uncounted --json
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.correlation.correlations import uncounted_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    found = session.services(DetectorsServices).correlations.list_uncounted(session.actor)
    if as_json:
        print_json({"items": [uncounted_json(each) for each in found], "next": None})
        return
    rows = [
        (
            each.title,
            each.counts.uncounted.ungrouped,
            each.counts.uncounted.unmeasured,
            each.counts.uncounted.cut,
            each.counts.late,
        )
        for each in found
    ]
    columns = ("correlation", "no group field", "no value", "too many groups", "late")
    print_table("Not counted", columns, rows)


CORRELATION_COMMANDS = (list_uncounted,)
