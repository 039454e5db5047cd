"""``secops playbooks``: duty rosters, shifts, swaps and calls."""

from __future__ import annotations

from typing import Any

import click

from playbooks.commands.group import group
from secops.kernel.pages import page_request
from secops.terminal.instants import instant
from secops.terminal.output import json_option, page_options, print_json, print_list
from secops.terminal.session import session_of


@group.command("who-is-on-duty")
@json_option
@click.pass_context
def who_is_on_duty(ctx: click.Context, *, as_json: bool) -> None:
    """Say who is on duty now, in each roster, and where nobody will be within a day.

    Example: secops playbooks who-is-on-duty
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.duty.documents import duty_document  # noqa: PLC0415

    session = session_of(ctx)
    found = session.services(PlaybooksServices).duty.rosters.who_is_on_duty(session.actor)
    documents = [duty_document(one) for one in found]
    if as_json:
        print_json({"items": documents, "next": None})
        return
    records = [
        {
            "id": one["roster"]["id"],
            "roster": one["roster"]["name"],
            "primary": one["on_duty"] and one["on_duty"]["primary_id"],
            "deputy": one["on_duty"] and one["on_duty"]["deputy_id"],
            "holes": len(one["holes"]),
        }
        for one in documents
    ]
    print_list(
        "值班 On duty", ("id", "roster", "primary", "deputy", "holes"), records, as_json=False
    )


@group.command("show-roster")
@click.argument("roster_id")
@click.pass_context
def show_roster(ctx: click.Context, roster_id: str) -> None:
    """Show a roster as JSON: members, policy, the next seven days, holes and swaps.

    Example: secops playbooks show-roster ros_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.duty.documents import duty_document  # noqa: PLC0415

    session = session_of(ctx)
    rosters = session.services(PlaybooksServices).duty.rosters
    print_json(duty_document(rosters.show_roster(session.actor, roster_id)))


def _roster_options(command: Any) -> Any:
    for option in (
        click.option("--member", "members", multiple=True, metavar="ACCOUNT=CHANNEL"),
        click.option("--lead", "leads", multiple=True, metavar="ACCOUNT"),
        click.option("--step", "steps", multiple=True, metavar="RECEIVER+MINUTES"),
    ):
        command = option(command)
    return command


@group.command("create-roster")
@click.argument("name")
@_roster_options
@click.pass_context
def create_roster(ctx: click.Context, /, name: str, **chosen: Any) -> None:
    """Make a roster. Without --step: primary, after 10 minutes deputy, 20 lead, 30 all.

    Example: secops --as security-admin playbooks create-roster soc --member analyst=soc
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.duty.documents import roster_draft  # noqa: PLC0415

    session = session_of(ctx)
    draft = roster_draft(name, chosen["members"], chosen["leads"], chosen["steps"])
    made = session.services(PlaybooksServices).duty.rosters.create_roster(session.actor, draft)
    click.echo(f"{made.id} {made.name}")


@group.command("change-roster")
@click.argument("roster_id")
@click.option("--name", required=True)
@_roster_options
@click.option("--version", type=int, required=True, help="The version that was seen.")
@click.pass_context
def change_roster(ctx: click.Context, /, roster_id: str, **chosen: Any) -> None:
    """Replace a roster's name, members and policy.

    Example: secops --as security-admin playbooks change-roster ros_01k9 --name soc
    --member analyst=soc --version 1
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.duty.documents import roster_draft  # noqa: PLC0415

    session = session_of(ctx)
    draft = roster_draft(chosen["name"], chosen["members"], chosen["leads"], chosen["steps"])
    changed = session.services(PlaybooksServices).duty.rosters.change_roster(
        session.actor, roster_id, draft, version=chosen["version"]
    )
    click.echo(f"{changed.id} {changed.version}")


@group.command("add-shift")
@click.argument("roster_id")
@click.option("--from", "starts_at", required=True, metavar="INSTANT")
@click.option("--to", "ends_at", required=True, metavar="INSTANT")
@click.option("--primary", required=True, metavar="ACCOUNT")
@click.option("--deputy", default="", metavar="ACCOUNT")
@click.pass_context
def add_shift(ctx: click.Context, /, roster_id: str, **chosen: str) -> None:
    """Plan a shift.

    Example: secops --as security-admin playbooks add-shift ros_01k9
    --from 2026-01-31T08:00:00+08:00 --to 2026-01-31T20:00:00+08:00 --primary analyst
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.duty import NewShift  # noqa: PLC0415

    window = (instant(chosen["starts_at"], "--from"), instant(chosen["ends_at"], "--to"))
    session = session_of(ctx)
    made = session.services(PlaybooksServices).duty.shifts.add_shift(
        session.actor, roster_id, NewShift(*window, chosen["primary"], chosen["deputy"])
    )
    click.echo(made.id)


@group.command("remove-shift")
@click.argument("shift_id")
@click.pass_context
def remove_shift(ctx: click.Context, shift_id: str) -> None:
    """Remove a shift; the roster warns of the hole.

    Example: secops --as security-admin playbooks remove-shift sft_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    session.services(PlaybooksServices).duty.shifts.remove_shift(session.actor, shift_id)
    click.echo(shift_id)


@group.command("ask-swap")
@click.argument("shift_id")
@click.argument("place", type=click.Choice(["primary", "deputy"]))
@click.argument("other", metavar="ACCOUNT")
@click.pass_context
def ask_swap(ctx: click.Context, shift_id: str, place: str, other: str) -> None:
    """Ask to give one's place of a shift to somebody, or to take theirs.

    Example: secops --as analyst playbooks ask-swap sft_01k9 primary wang
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    shifts = session.services(PlaybooksServices).duty.shifts
    swap = shifts.ask_swap(session.actor, shift_id, place, other)
    click.echo(f"{swap.id} {swap.state}")


@group.command("answer-swap")
@click.argument("swap_id")
@click.argument("answer", type=click.Choice(["agree", "decline"]))
@click.pass_context
def answer_swap(ctx: click.Context, swap_id: str, answer: str) -> None:
    """Agree to a swap, or decline it; whoever asked may withdraw it so.

    Example: secops --as analyst playbooks answer-swap swp_01k9 agree
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    shifts = session.services(PlaybooksServices).duty.shifts
    swap = shifts.answer_swap(session.actor, swap_id, agree=answer == "agree")
    click.echo(f"{swap.id} {swap.state}")


@group.command("list-escalations")
@page_options
@json_option
@click.pass_context
def list_escalations(ctx: click.Context, /, **chosen: Any) -> None:
    """List what people on duty were called for, newest first.

    Example: secops playbooks list-escalations
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.duty.documents import escalation_document  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(PlaybooksServices).duty.escalations.list_escalations(
        session.actor, page_request(chosen["limit"], chosen["cursor"])
    )
    records = [escalation_document(one) for one in page.items]
    columns = ("id", "created_at", "title", "severity", "step", "state", "acknowledged_by")
    print_list("值班呼叫 Calls", columns, records, as_json=chosen["as_json"], following=page.next)


@group.command("acknowledge-escalation")
@click.argument("escalation_id")
@click.pass_context
def acknowledge_escalation(ctx: click.Context, escalation_id: str) -> None:
    """Take care of what one was called for: nobody further is called.

    Example: secops --as analyst playbooks acknowledge-escalation esc_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    found = session.services(PlaybooksServices).duty.escalations.acknowledge_escalation(
        session.actor, escalation_id
    )
    click.echo(f"{found.id} {found.state}")
