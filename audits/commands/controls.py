"""``secops audits``: show-history, list-gaps, schedule-assessment and what belongs to it."""

from __future__ import annotations

from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import level, standard, system
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_list, say
from secops.terminal.session import session_of


@group.command("list-history")
@click.argument("item")
@standard
@system
@page_options
@json_option
@click.pass_context
def list_history(ctx: click.Context, /, **chosen: Any) -> None:
    """List how ITEM stood over time, newest first.

    Example: secops audits list-history L3-CES1-06
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.documents import change_view  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).controls.list_history(
        session.actor,
        chosen["standard"],
        chosen["item"],
        page_request(chosen["limit"], chosen["cursor"]),
        chosen["system_id"],
    )
    records = [change_view(change) for change in page.items]
    columns = ("at", "before", "after", "judge", "cause")
    print_list(chosen["item"], columns, records, as_json=chosen["as_json"], following=page.next)


@group.command("list-gaps")
@json_option
@click.pass_context
def list_gaps(ctx: click.Context, *, as_json: bool) -> None:
    """List the items that stand worse than they did (drift).

    Example: secops audits list-gaps --json
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.documents import gap_view  # noqa: PLC0415

    session = session_of(ctx)
    gaps = session.services(AuditsServices).controls.list_gaps(session.actor)
    columns = ("system", "standard", "item", "before", "status", "severity", "since")
    print_list("Gaps", columns, [gap_view(gap) for gap in gaps], as_json=as_json)


@group.command("schedule-assessment")
@standard
@level
@click.option("--hours", type=click.IntRange(1, 8784), default=24, show_default=True)
@system
@click.pass_context
def schedule_assessment(ctx: click.Context, /, **chosen: Any) -> None:
    """Have an assessment made every so many hours, with your rights as they are then.

    Example: secops audits schedule-assessment --level 3 --hours 24
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    schedule = session.services(AuditsServices).schedules.schedule_assessment(
        session.actor,
        chosen["standard"],
        chosen["level"],
        chosen["hours"],
        chosen["system_id"],
    )
    say(f"{schedule.id}: {schedule.standard} {schedule.level}, {schedule.hours} h")


@group.command("list-schedules")
@page_options
@json_option
@click.pass_context
def list_schedules(ctx: click.Context, *, limit: str, cursor: str | None, as_json: bool) -> None:
    """List the assessments that are made again by themselves.

    Example: secops audits list-schedules
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.documents import schedule_view  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).schedules.list_schedules(
        session.actor, page_request(limit, cursor)
    )
    records = [schedule_view(schedule) for schedule in page.items]
    columns = ("id", "system", "standard", "level", "hours", "next_at", "last", "failed")
    print_list("Schedules", columns, records, as_json=as_json, following=page.next)


@group.command("cancel-schedule")
@click.argument("schedule_id", metavar="SCHEDULE")
@click.pass_context
def cancel_schedule(ctx: click.Context, *, schedule_id: str) -> None:
    """End SCHEDULE; what it made stays.

    Example: secops audits cancel-schedule sch_01J9
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    session.services(AuditsServices).schedules.cancel_schedule(session.actor, schedule_id)
    say(f"{schedule_id} ended")
