"""``secops playbooks``: run, approve, answer and list runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from playbooks.commands.group import group
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_table, say
from secops.terminal.session import session_of


def _variables(pairs: tuple[str, ...], option: str = "--var") -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            msg = f"{option} is NAME=VALUE, not {pair!r}"
            raise click.UsageError(msg)
        values[name if name.startswith("__") else f"__{name}__"] = value
    return values


@group.command("run")
@click.argument("file")
@click.option("--incident", "incident_id", required=True, metavar="ID")
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="A playbook variable.")
@click.option("--dry-run", is_flag=True, help="Show exactly what would be done; change nothing.")
@json_option
@click.pass_context
def run(ctx: click.Context, /, file: str, **chosen: Any) -> None:
    """Ask to run a playbook (FILE, or a packaged name) for an incident.

    The run waits for another person's approval; what needs none starts at once.

    Example: secops playbooks run ssh_brute_force_contain --incident inc_01k9 --dry-run
    """
    from playbooks.service import (  # noqa: PLC0415 - quick --help
        PlaybooksServices,
        RunRequest,
        require_playbook,
    )
    from playbooks.service.incidents.documents import plan_document, run_document  # noqa: PLC0415

    session = session_of(ctx)
    variables = _variables(chosen["pairs"])
    path = Path(file)
    checked = require_playbook(path.read_bytes()) if path.is_file() else None
    services = session.services(PlaybooksServices)
    playbook = checked or services.playbooks.find(session.actor, file)
    request = RunRequest(chosen["incident_id"], playbook, variables)
    if chosen["dry_run"]:
        document = plan_document(services.runs.plan_run(session.actor, request))
        if chosen["as_json"]:
            print_json(document)
        else:
            _print_plan(document)
        return
    asked = services.runs.request_run(session.actor, request)
    if asked.state == "approved":
        asked = services.runner.advance(asked.id)
    if chosen["as_json"]:
        print_json(run_document(asked))
        return
    click.echo(f"{asked.id} {asked.state}")
    if asked.state == "awaiting_approval":
        say(f"等待审批: secops --as … playbooks approve-run {asked.id} --plan {asked.plan.sha256}")


def _print_plan(document: dict[str, Any]) -> None:
    rows = [
        (step["name"], step["action"], t["label"] or t["target"], t["before"], t["after"])
        for step in document["steps"]
        for t in step["targets"]
    ]
    print_table("计划 Plan", ("步骤", "动作", "目标", "现状", "执行后"), rows)
    say(f"SHA-256 {document['sha256']}")
    say(f"SM3     {document['sm3']}")
    say("需要审批" if document["needs_approval"] else "无需审批")


@group.command("list-runs")
@click.option("--incident", "incident_id", default=None, metavar="ID")
@page_options
@json_option
@click.pass_context
def list_runs(ctx: click.Context, /, **chosen: Any) -> None:
    """List runs, newest first.

    Example: secops playbooks list-runs --incident inc_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.documents import run_document  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(PlaybooksServices).runs.list_runs(
        session.actor, chosen["incident_id"], page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [run_document(one) for one in page.items]
    if chosen["as_json"]:
        print_json({"items": documents, "next": page.next})
        return
    rows = [(d["id"], d["state"], d["requester_id"], d["approver_id"]) for d in documents]
    print_table("剧本运行 Runs", ("id", "状态", "申请人", "审批人"), rows)


@group.command("show-run")
@click.argument("run_id")
@json_option
@click.pass_context
def show_run(ctx: click.Context, run_id: str, *, as_json: bool) -> None:
    """Show a run: its plan, each step's state and the journal.

    Example: secops playbooks show-run run_01k9 --json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.documents import run_view_document  # noqa: PLC0415

    session = session_of(ctx)
    view = session.services(PlaybooksServices).runs.show_run(session.actor, run_id)
    document = run_view_document(view)
    if as_json:
        print_json(document)
        return
    _print_plan(document["plan"])
    rows = [(e["seq"], e["at"], e["target"], e["kind"], e["state"]) for e in document["journal"]]
    print_table(f"运行日志 {document['state']}", ("#", "at", "target", "kind", "state"), rows)


@group.command("approve-run")
@click.argument("run_id")
@click.option("--plan", "plan_sha256", required=True, metavar="SHA256", help="The hash you saw.")
@click.option("--reject", is_flag=True, help="Refuse it.")
@click.option("--reason", default="")
@click.option("--no-start", is_flag=True, help="Leave the start to the running service.")
@json_option
@click.pass_context
def approve_run(ctx: click.Context, /, run_id: str, **chosen: Any) -> None:
    """Approve exactly the plan with this hash, and start it; nobody approves their own.

    Example: secops --as security-admin playbooks approve-run run_01k9 --plan 3f2a
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.documents import run_document  # noqa: PLC0415

    session = session_of(ctx)
    services = session.services(PlaybooksServices)
    decided = services.runs.approve_run(
        session.actor,
        run_id,
        grant=not chosen["reject"],
        plan_sha256=chosen["plan_sha256"],
        reason=chosen["reason"],
    )
    if decided.state == "approved" and not chosen["no_start"]:
        decided = services.runner.advance(run_id)
    if chosen["as_json"]:
        print_json(run_document(decided))
    else:
        click.echo(f"{decided.id} {decided.state} {decided.error}".strip())


@group.command("resolve-step")
@click.argument("run_id")
@click.argument("step")
@click.argument("outcome", type=click.Choice(["done", "failed"]))
@click.option("--note", default="")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="A result of the step.")
@click.pass_context
def resolve_step(ctx: click.Context, /, run_id: str, step: str, **chosen: Any) -> None:
    """Answer for a step done by hand, or for one whose outcome nobody knows; go on.

    Example: secops playbooks resolve-step run_01k9 action--… done --note "已核实"
    """
    from playbooks.service import PlaybooksServices, StepAnswer  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    services = session.services(PlaybooksServices)
    values = _variables(chosen["values"], "--set")
    answer = StepAnswer(step, chosen["outcome"], chosen["note"], values)
    services.runs.resolve_step(session.actor, run_id, answer)
    gone_on = services.runner.advance(run_id)
    click.echo(f"{gone_on.id} {gone_on.state}")


@group.command("cancel-run")
@click.argument("run_id")
@click.option("--reason", required=True)
@click.pass_context
def cancel_run(ctx: click.Context, run_id: str, reason: str) -> None:
    """Stop a run before its next step.

    Example: secops playbooks cancel-run run_01k9 --reason "误报"
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    cancelled = session.services(PlaybooksServices).runs.cancel_run(
        session.actor, run_id, reason=reason
    )
    click.echo(f"{cancelled.id} {cancelled.state}")
