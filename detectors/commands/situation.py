"""The situation on the command line."""

from __future__ import annotations

import click

from detectors.commands.opened import opened
from secops.kernel.errors import Unavailable
from secops.terminal.output import json_option, print_json, print_table, say


@click.command("show-situation")
@json_option
@click.pass_context
def show_situation(ctx: click.Context, *, as_json: bool) -> None:
    """Show what is open, at risk, silent, and to be expected of the next days.

    Example: secops --as analyst detectors show-situation
    """
    from detectors.service.situation.presentation import situation_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = services.situations.show_situation(actor)
    if found is None:
        msg = "nobody has looked at the situation yet: `secops serve` does so once a minute"
        raise Unavailable(msg)
    document = situation_json(found)
    if as_json:
        print_json(document)
        return
    stale = " - STALE: the scheduler does not run" if found.is_stale else ""
    say(f"as of {document['at']}{stale}")
    print_table("Figures", ("figure", "value"), document["figures"].items())
    systems = [
        (each["system"], each["owner"], each["alerts"], each["score"])
        for each in document["systems"]
    ]
    print_table("Risk by system", ("system", "owner", "alerts", "score"), systems)
    if (forecast := document["forecast"]) is not None:
        days = [
            (f"+{ahead}", day["expected"], day["low"], day["high"])
            for ahead, day in enumerate(forecast["days"], 1)
        ]
        print_table("Alerts to be expected", ("day", "expected", "low", "high"), days)
