"""``secops audits``: tasks of rectification and waivers."""

from __future__ import annotations

from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import FILE, any_system, reason, system, version
from audits.commands.rectification_desk import print_with_history, rectification_of
from secops.kernel.pages import page_request
from secops.terminal.files import read_at_most
from secops.terminal.instants import instant, instant_or_none
from secops.terminal.output import json_option, page_options, print_json, print_list
from secops.terminal.output import say as tell


def _say_task(ctx: click.Context, document: Any, *, as_json: bool) -> None:
    del ctx
    if as_json:
        print_json(document)
    else:
        click.echo(f"{document['id']} {document['subject']} {document['state']}")


@group.command("make-tasks")
@click.argument("assessment_id")
@click.option("--owner", required=True, help="An account's name or id.")
@click.option("--item", "items", multiple=True, help="Default: all that fail.")
@click.option("--due", metavar="INSTANT", help="Default: by the finding's weight.")
@json_option
@click.pass_context
def make_tasks(ctx: click.Context, /, assessment_id: str, **chosen: Any) -> None:
    """Make tasks of what a stored assessment found failing.

    Example: secops audits make-tasks asm_01k9 --owner analyst --item L3-CES1-06
    """
    from audits.service.rectification.documents import made_document  # noqa: PLC0415
    from audits.service.rectification.tasks import NewTasks  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    due_at = instant_or_none(chosen["due"], "--due")
    new = NewTasks(chosen["owner"], tuple(chosen["items"]), due_at)
    _say_made(made_document(services.tasks.make_tasks(actor, assessment_id, new), now), **chosen)


@group.command("make-scan-tasks")
@click.option("--owner", required=True, help="An account's name or id.")
@click.option("--finding", "findings", multiple=True, metavar="FINGERPRINT")
@system
@json_option
@click.pass_context
def make_scan_tasks(ctx: click.Context, /, **chosen: Any) -> None:
    """Make tasks of scanners' open findings; each is due by its severity.

    Example: secops audits make-scan-tasks --owner system-admin
    """
    from audits.service.rectification.documents import made_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    made = services.tasks.make_scan_tasks(
        actor, chosen["system_id"], chosen["owner"], chosen["findings"]
    )
    _say_made(made_document(made, now), **chosen)


def _say_made(document: Any, *, as_json: bool, **_: Any) -> None:
    if as_json:
        print_json(document)
        return
    for word in ("made", "reopened"):
        for task in document[word]:
            click.echo(f"{word} {task['id']} {task['subject']} {task['due_at']}")
    tell(f"standing before: {document['standing']}")


@group.command("list-tasks")
@click.option("--state", default="", help="open, proof_given, reopened, closed, overdue, unclosed.")
@click.option("--owner", default="", help="An account's id, or me.")
@click.option("--item", default="")
@any_system
@page_options
@json_option
@click.pass_context
def list_tasks(ctx: click.Context, /, **chosen: Any) -> None:
    """List tasks of rectification, the newest first.

    Example: secops audits list-tasks --state overdue
    """
    from audits.models.rectification import TaskFilter  # noqa: PLC0415 - quick --help
    from audits.service.rectification.documents import task_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    wanted = TaskFilter(chosen["system_id"], chosen["state"], chosen["owner"], chosen["item"])
    page = services.tasks.list_tasks(actor, wanted, page_request(chosen["limit"], chosen["cursor"]))
    rows = [task_document(task, now) for task in page.items]
    columns = ("id", "subject", "object_name", "title_zh", "state", "owner_name", "due_at")
    shown = (*columns, "overdue", "version")
    print_list(
        "整改任务 Tasks of rectification",
        shown,
        rows,
        as_json=chosen["as_json"],
        following=page.next,
    )


@group.command("show-task")
@click.argument("task_id")
@json_option
@click.pass_context
def show_task(ctx: click.Context, task_id: str, *, as_json: bool) -> None:
    """Show a task with its history.

    Example: secops audits show-task rct_01k9
    """
    from audits.service.rectification.documents import (  # noqa: PLC0415 - quick --help
        history_document,
        task_document,
    )

    actor, services, now = rectification_of(ctx)
    task, history = services.tasks.show_task(actor, task_id)
    document, lines = task_document(task, now), history_document(history)
    print_with_history("整改任务 Task", document, lines, as_json=as_json)


@group.command("assign-task")
@click.argument("task_id")
@version
@reason
@click.option("--owner", default="")
@click.option("--due", metavar="INSTANT")
@json_option
@click.pass_context
def assign_task(ctx: click.Context, /, task_id: str, **chosen: Any) -> None:
    """Give a task another owner or deadline; no owner puts their own off.

    Example: secops audits assign-task rct_01k9 --version 1 --owner system-admin --reason 归口
    """
    from audits.service.rectification.documents import task_document  # noqa: PLC0415
    from audits.service.rectification.tasks import Assignment  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    due_at = instant_or_none(chosen["due"], "--due")
    wish = Assignment(chosen["version"], chosen["reason"], chosen["owner"], due_at)
    task = services.tasks.assign_task(actor, task_id, wish)
    _say_task(ctx, task_document(task, now), as_json=chosen["as_json"])


@group.command("give-proof")
@click.argument("task_id")
@version
@click.option("--text", required=True, help="What was done.")
@click.option("--file", "file", type=FILE)
@json_option
@click.pass_context
def give_proof(ctx: click.Context, /, task_id: str, **chosen: Any) -> None:
    """Say, as the task's owner, what was done, with a file as evidence.

    Example: secops audits give-proof rct_01k9 --version 1 --text 已停用 --file off.png
    """
    from audits.service.rectification.documents import task_document  # noqa: PLC0415
    from audits.service.rectification.tasks import Proof  # noqa: PLC0415
    from audits.service.rectification_desk import MAX_FILE  # noqa: PLC0415 - quick --help

    content, name = b"", ""
    if (file := chosen["file"]) is not None:
        content, name = read_at_most(file, MAX_FILE, "a proof"), file.name
    actor, services, now = rectification_of(ctx)
    proof = Proof(chosen["version"], chosen["text"], name, content)
    task = services.tasks.give_proof(actor, task_id, proof)
    _say_task(ctx, task_document(task, now), as_json=chosen["as_json"])


@group.command("recheck-task")
@click.argument("task_id")
@json_option
@click.pass_context
def recheck_task(ctx: click.Context, task_id: str, *, as_json: bool) -> None:
    """Run the finding's own check anew: a pass closes, a failure reopens (exit 1).

    Example: secops audits recheck-task rct_01k9
    """
    from audits.service.rectification.documents import recheck_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    document = recheck_document(services.rechecks.recheck_task(actor, task_id), now)
    if as_json:
        print_json(document)
    else:
        click.echo(f"{task_id} {document['outcome']} {document['task']['state']}")
        tell(document["reason"]["zh"])
    if document["outcome"] == "failed":
        ctx.exit(1)


@group.command("close-task")
@click.argument("task_id")
@version
@reason
@json_option
@click.pass_context
def close_task(
    ctx: click.Context, /, task_id: str, version: int, reason: str, **more: bool
) -> None:
    """Close, as a person other than the owner, what no check decides.

    Example: secops audits close-task rct_01k9 --version 2 --reason 已到现场查看
    """
    from audits.service.rectification.documents import task_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    task = services.rechecks.close_task(actor, task_id, version, reason)
    _say_task(ctx, task_document(task, now), as_json=more["as_json"])


@group.command("reopen-task")
@click.argument("task_id")
@version
@reason
@json_option
@click.pass_context
def reopen_task(
    ctx: click.Context, /, task_id: str, version: int, reason: str, **more: bool
) -> None:
    """Open a closed task again, or send a proof back.

    Example: secops audits reopen-task rct_01k9 --version 2 --reason 证明与条目无关
    """
    from audits.service.rectification.documents import task_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    task = services.rechecks.reopen_task(actor, task_id, version, reason)
    _say_task(ctx, task_document(task, now), as_json=more["as_json"])


@group.command("request-waiver")
@click.argument("item")
@reason
@click.option("--expires", required=True, metavar="INSTANT", help="At most a year ahead.")
@click.option("--standard", default="gbt22239", show_default=True)
@click.option("--object", "object_id", default="", help="An asset's id. Default: the whole.")
@system
@json_option
@click.pass_context
def request_waiver(ctx: click.Context, /, item: str, **chosen: Any) -> None:
    """Ask another person to bear a finding for a while; the verdict stays what it is.

    Example: secops audits request-waiver L3-CES1-06 --reason 设备下月更换
    --expires 2026-12-31T00:00:00Z
    """
    from audits.service.rectification.documents import waiver_document  # noqa: PLC0415
    from audits.service.rectification.waivers import NewWaiver  # noqa: PLC0415

    expires_at = instant(chosen["expires"], "--expires")
    actor, services, now = rectification_of(ctx)
    new = NewWaiver(
        item,
        chosen["reason"],
        expires_at,
        chosen["standard"],
        chosen["system_id"],
        chosen["object_id"],
    )
    _say_waiver(waiver_document(services.waivers.request_waiver(actor, new), now), **chosen)


@group.command("decide-waiver")
@click.argument("waiver_id")
@click.option("--sha256", required=True, help="Of what you read (list-waivers --json: digest).")
@click.option("--reject", is_flag=True)
@click.option("--reason", default="")
@json_option
@click.pass_context
def decide_waiver(ctx: click.Context, /, waiver_id: str, **chosen: Any) -> None:
    """Approve or reject a waiver that somebody else asked for.

    Example: secops --as security-admin audits decide-waiver wvr_01k9 --sha256 9f86…
    """
    from audits.service.rectification.documents import waiver_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    waiver = services.waivers.decide_waiver(
        actor,
        waiver_id,
        chosen["sha256"],
        grant=not chosen["reject"],
        reason=chosen["reason"],
    )
    _say_waiver(waiver_document(waiver, now), **chosen)


@group.command("revoke-waiver")
@click.argument("waiver_id")
@version
@reason
@json_option
@click.pass_context
def revoke_waiver(ctx: click.Context, /, waiver_id: str, **chosen: Any) -> None:
    """End a waiver before its time, or withdraw one that waits.

    Example: secops audits revoke-waiver wvr_01k9 --version 2 --reason 设备已更换
    """
    from audits.service.rectification.documents import waiver_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    waiver = services.waivers.revoke_waiver(actor, waiver_id, chosen["version"], chosen["reason"])
    _say_waiver(waiver_document(waiver, now), **chosen)


def _say_waiver(document: Any, *, as_json: bool, **_: Any) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo(f"{document['id']} {document['item_id']} {document['state']}")
        tell(f"sha256 {document['digest']}")


@group.command("list-waivers")
@any_system
@page_options
@json_option
@click.pass_context
def list_waivers(ctx: click.Context, /, **chosen: Any) -> None:
    """List waivers, expired ones too, the last asked for first.

    Example: secops audits list-waivers
    """
    from audits.service.rectification.documents import waiver_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    page = services.waivers.list_waivers(
        actor, page_request(chosen["limit"], chosen["cursor"]), chosen["system_id"]
    )
    print_list(
        "豁免 Waivers",
        ("id", "item_id", "object_name", "state", "requested_name", "decided_name", "expires_at"),
        [waiver_document(waiver, now) for waiver in page.items],
        as_json=chosen["as_json"],
        following=page.next,
    )
