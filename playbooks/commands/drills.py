"""``secops playbooks``: drills planned, approved, run and reported."""

from __future__ import annotations

from typing import Any

import click

from playbooks.commands.group import group
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_list
from secops.terminal.session import session_of


def _service(ctx: click.Context) -> Any:
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    return session.actor, session.services(PlaybooksServices).drills


@group.command("plan-drill")
@click.argument("title")
@click.option("--scenario", default="")
@click.option("--alert", "alerts", multiple=True, required=True, metavar="SEVERITY:TITLE")
@click.option("--account", "accounts", multiple=True, help="May really be locked in the drill.")
@json_option
@click.pass_context
def plan_drill(ctx: click.Context, /, **chosen: Any) -> None:
    """Plan a drill; somebody else approves it.

    Example: secops --as analyst playbooks plan-drill "Brute force" --alert "high:SSH brute force"
    """
    from playbooks.service.drills.documents import (  # noqa: PLC0415 - quick --help
        drill_document,
        entered_plan,
    )

    actor, drills = _service(ctx)
    plan = entered_plan(chosen["title"], chosen["scenario"], chosen["alerts"], chosen["accounts"])
    document = drill_document(drills.plan_drill(actor, plan))
    if chosen["as_json"]:
        print_json(document)
    else:
        click.echo(f"{document['id']} {document['plan_sha256']}")


@group.command("list-drills")
@page_options
@json_option
@click.pass_context
def list_drills(ctx: click.Context, /, **chosen: Any) -> None:
    """List drills, newest first.

    Example: secops playbooks list-drills
    """
    from playbooks.service.drills.documents import drill_document  # noqa: PLC0415 - quick --help

    actor, drills = _service(ctx)
    page = drills.list_drills(actor, page_request(chosen["limit"], chosen["cursor"]))
    records = [drill_document(one) for one in page.items]
    columns = ("id", "title", "state", "planned_by", "approved_by", "started_at", "ended_at")
    print_list("演练 Drills", columns, records, as_json=chosen["as_json"], following=page.next)


@group.command("approve-drill")
@click.argument("drill_id")
@click.option("--plan", "plan_sha256", required=True, metavar="SHA256", help="The hash you saw.")
@click.option("--reject", is_flag=True, help="Refuse it.")
@click.option("--reason", default="")
@click.pass_context
def approve_drill(ctx: click.Context, /, drill_id: str, **chosen: Any) -> None:
    """Approve exactly the plan with this hash; nobody approves their own.

    Example: secops --as security-admin playbooks approve-drill drl_01k9 --plan 3f2a
    """
    actor, drills = _service(ctx)
    drill = drills.approve_drill(
        actor,
        drill_id,
        grant=not chosen["reject"],
        plan_sha256=chosen["plan_sha256"],
        reason=chosen["reason"],
    )
    click.echo(f"{drill.id} {drill.state}")


@group.command("start-drill")
@click.argument("drill_id")
@click.pass_context
def start_drill(ctx: click.Context, drill_id: str) -> None:
    """Begin an approved drill: its marked alerts come in.

    Example: secops --as analyst playbooks start-drill drl_01k9
    """
    actor, drills = _service(ctx)
    drill = drills.start_drill(actor, drill_id)
    click.echo(f"{drill.id} {drill.state}")


@group.command("note-drill")
@click.argument("drill_id")
@click.argument("text")
@click.option("--finding", is_flag=True, help="Something to be put right.")
@click.pass_context
def note_drill(ctx: click.Context, drill_id: str, text: str, *, finding: bool) -> None:
    """Add an observation or a finding to a drill's record.

    Example: secops --as analyst playbooks note-drill drl_01k9 "list of telephones is old" --finding
    """
    actor, drills = _service(ctx)
    drills.note_drill(actor, drill_id, text, finding=finding)
    click.echo(drill_id)


@group.command("end-drill")
@click.argument("drill_id")
@click.pass_context
def end_drill(ctx: click.Context, drill_id: str) -> None:
    """End a drill; its open alerts are closed.

    Example: secops --as analyst playbooks end-drill drl_01k9
    """
    actor, drills = _service(ctx)
    drill = drills.end_drill(actor, drill_id)
    click.echo(f"{drill.id} {drill.state}")


@group.command("report-drill")
@click.argument("drill_id")
@click.pass_context
def report_drill(ctx: click.Context, drill_id: str) -> None:
    """Print a drill's report as JSON: plan, record, how soon alerts were taken up, findings.

    Example: secops playbooks report-drill drl_01k9
    """
    actor, drills = _service(ctx)
    print_json(drills.report_drill(actor, drill_id))
