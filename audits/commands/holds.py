"""``secops audits``: place-legal-hold, lift-legal-hold, list-legal-holds."""

from __future__ import annotations

import click

from audits.commands.group import group
from audits.commands.options import reason
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of


@group.command("place-legal-hold")
@click.argument("first_day")
@click.argument("last_day")
@click.option("--matter", required=True, help="The case it is for.")
@reason
@click.pass_context
def place_legal_hold(
    ctx: click.Context, first_day: str, last_day: str, *, matter: str, reason: str
) -> None:
    """Keep the logs of the days FIRST_DAY to LAST_DAY whatever the retention says.

    Another audit administrator lifts it. Days are those of Beijing.

    Example: secops audits place-legal-hold 2026-10-01 2026-10-07 --matter 案件2026-17 --reason 取证
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.holds import NewHold  # noqa: PLC0415

    session = session_of(ctx)
    holds = session.services(AuditsServices).holds
    placed = holds.place_legal_hold(session.actor, NewHold(first_day, last_day, matter, reason))
    click.echo(placed.id)


@group.command("lift-legal-hold")
@click.argument("hold_id", metavar="ID")
@reason
@click.pass_context
def lift_legal_hold(ctx: click.Context, hold_id: str, *, reason: str) -> None:
    """End a legal hold that another person placed; retention takes the days from then on.

    Example: secops audits lift-legal-hold hold_01J… --reason 结案
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    session.services(AuditsServices).holds.lift_legal_hold(session.actor, hold_id, reason)
    say(f"{hold_id} is lifted")


@group.command("list-legal-holds")
@click.option("--limit", help="At most so many (200).")
@click.option("--cursor", help="`next` of the page before.")
@json_option
@click.pass_context
def list_legal_holds(
    ctx: click.Context, *, limit: str | None, cursor: str | None, as_json: bool
) -> None:
    """List legal holds, newest first, lifted ones too.

    Example: secops audits list-legal-holds --json
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.holds.documents import hold_document  # noqa: PLC0415

    session = session_of(ctx)
    holds = session.services(AuditsServices).holds
    page = holds.list_legal_holds(session.actor, page_request(limit, cursor))
    items = [hold_document(hold) for hold in page.items]
    if as_json:
        print_json({"items": items, "next": page.next})
        return
    columns = ("id", "matter", "since", "until", "placed_by", "lifted_at")
    rows = [[each[name] or "" for name in columns] for each in items]
    print_table("Legal holds", columns, rows)
