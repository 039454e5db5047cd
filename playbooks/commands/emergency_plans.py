"""``secops playbooks``: emergency plans, written, approved, adopted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from playbooks.commands.group import group
from playbooks.models.incidents import INCIDENT_STATES
from secops.kernel.pages import page_request
from secops.terminal.instants import instant
from secops.terminal.output import json_option, page_options, print_json, print_table
from secops.terminal.session import session_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MAX_FILE = 1 << 20


def _task(text: str) -> Any:
    from playbooks.models.emergency_plans import PlanTask  # noqa: PLC0415 - quick --help

    phase, _, rest = text.partition(":")
    minutes, _, title = rest.partition(":")
    if phase not in INCIDENT_STATES or not minutes.isdigit() or not title:
        msg = f"{text!r} is no PHASE:MINUTES:TITLE"
        raise click.UsageError(msg)
    return PlanTask(title, phase, int(minutes[:9]))


@group.command("write-emergency-plan")
@click.argument("file", type=_FILE)
@click.option("--title", required=True)
@click.option("--class", "classes", multiple=True, required=True, help="A code of GB/T 20986.")
@click.option("--review", required=True, metavar="INSTANT", help="When to look at it again.")
@click.option("--playbook", "playbooks", multiple=True)
@click.option("--task", "tasks", multiple=True, metavar="PHASE:MINUTES:TITLE")
@click.option("--plan", "plan_id", metavar="ID", help="Write the next version of this plan.")
@json_option
@click.pass_context
def write_emergency_plan(ctx: click.Context, /, file: Path, **chosen: Any) -> None:
    """Write a version of an emergency plan from FILE (Markdown, or .txt) and submit it.

    Example: secops playbooks write-emergency-plan ransom.md --title "勒索预案" --class MPRANS
    --review 2027-11-01T00:00:00Z --task "contained:30:隔离主机"
    """
    if file.stat().st_size > _MAX_FILE:
        msg = f"a plan's file has at most {_MAX_FILE} bytes"
        raise click.UsageError(msg)
    tasks = tuple(_task(text) for text in chosen["tasks"])
    from playbooks.service import NewPlan, PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.work_documents import (  # noqa: PLC0415
        emergency_plan_document,
    )

    session = session_of(ctx)
    review_at = instant(chosen["review"], "--review")
    try:
        content = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        msg = "a plan's file is UTF-8"
        raise click.UsageError(msg) from error
    new = NewPlan(
        title=chosen["title"],
        content=content,
        classes=chosen["classes"],
        review_at=review_at,
        format="text" if file.suffix == ".txt" else "markdown",
        playbooks=chosen["playbooks"],
        tasks=tasks,
    )
    plans = session.services(PlaybooksServices).emergency_plans
    plan = plans.write_emergency_plan(session.actor, new, chosen["plan_id"])
    if chosen["as_json"]:
        print_json(emergency_plan_document(plan))
    else:
        click.echo(f"{plan.id} {plan.version} {plan.sha256}")


@group.command("approve-emergency-plan")
@click.argument("plan_id")
@click.option("--version", type=click.IntRange(1), required=True)
@click.option("--sha256", required=True, help="Of the version that you read.")
@click.option("--reject", is_flag=True)
@click.option("--reason", default="")
@click.pass_context
def approve_emergency_plan(ctx: click.Context, /, plan_id: str, **chosen: Any) -> None:
    """Put a version that somebody else wrote into force, or reject it.

    Example: secops --as security-admin playbooks approve-emergency-plan epl_01k9 --version 1
    --sha256 9f86…
    """
    from playbooks.service import PlanDecision, PlaybooksServices  # noqa: PLC0415

    session = session_of(ctx)
    decision = PlanDecision(
        chosen["version"], chosen["sha256"], not chosen["reject"], chosen["reason"]
    )
    plans = session.services(PlaybooksServices).emergency_plans
    plan = plans.approve_emergency_plan(session.actor, plan_id, decision)
    click.echo(f"{plan.id} {plan.version} {plan.state}")


@group.command("withdraw-emergency-plan")
@click.argument("plan_id")
@click.option("--version", type=click.IntRange(1), required=True)
@click.pass_context
def withdraw_emergency_plan(ctx: click.Context, plan_id: str, version: int) -> None:
    """Take a version out of force.

    Example: secops --as security-admin playbooks withdraw-emergency-plan epl_01k9 --version 1
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    plans = session.services(PlaybooksServices).emergency_plans
    plan = plans.withdraw_emergency_plan(session.actor, plan_id, version)
    click.echo(f"{plan.id} {plan.version} {plan.state}")


@group.command("list-emergency-plans")
@page_options
@json_option
@click.pass_context
def list_emergency_plans(ctx: click.Context, /, **chosen: Any) -> None:
    """List all versions of emergency plans, the last written first.

    Example: secops playbooks list-emergency-plans --json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.work_documents import plan_summary  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(PlaybooksServices).emergency_plans.list_emergency_plans(
        session.actor, page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [plan_summary(plan) for plan in page.items]
    if chosen["as_json"]:
        print_json({"items": documents, "next": page.next})
        return
    rows = [(d["id"], d["version"], d["state"], d["review_at"], d["title"]) for d in documents]
    print_table("应急预案 Emergency plans", ("id", "version", "state", "review", "title"), rows)


@group.command("show-emergency-plan")
@click.argument("plan_id")
@click.option("--version", type=click.IntRange(1), help="Default: the newest.")
@json_option
@click.pass_context
def show_emergency_plan(
    ctx: click.Context, plan_id: str, version: int | None, *, as_json: bool
) -> None:
    """Show a version of an emergency plan with its text.

    Example: secops playbooks show-emergency-plan epl_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.work_documents import (  # noqa: PLC0415
        emergency_plan_document,
    )

    session = session_of(ctx)
    plans = session.services(PlaybooksServices).emergency_plans
    document = emergency_plan_document(plans.show_emergency_plan(session.actor, plan_id, version))
    if as_json:
        print_json(document)
        return
    head = ("id", "version", "title", "state", "classes", "playbooks", "review_at", "sha256")
    print_table("应急预案 Emergency plan", ("", ""), [(n, str(document[n])) for n in head])
    click.echo(document["content"])


@group.command("adopt-emergency-plan")
@click.argument("incident_id")
@click.argument("plan_id")
@click.pass_context
def adopt_emergency_plan(ctx: click.Context, incident_id: str, plan_id: str) -> None:
    """Work on an incident by a plan in force for its class: its tasks become the incident's.

    Example: secops playbooks adopt-emergency-plan inc_01k9 epl_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    plans = session.services(PlaybooksServices).emergency_plans
    for task in plans.adopt_emergency_plan(session.actor, incident_id, plan_id):
        click.echo(f"{task.id} {task.phase} {task.title}")
