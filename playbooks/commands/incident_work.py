"""``secops playbooks``: members, tasks, observables, levels and response times."""

from __future__ import annotations

from typing import Any

import click

from playbooks.commands.group import group
from playbooks.models.incident_work import MEMBER_ROLES, OBSERVABLE_KINDS, TASK_STATES
from playbooks.models.incidents import INCIDENT_STATES
from secops.terminal.instants import instant_or_none
from secops.terminal.output import json_option, print_json, print_table
from secops.terminal.session import session_of

_PHASES = [state for state in INCIDENT_STATES if state != "closed"]


@group.command("set-member")
@click.argument("incident_id")
@click.argument("account")
@click.option("--role", type=click.Choice(list(MEMBER_ROLES)), default="analyst", show_default=True)
@click.pass_context
def set_member(ctx: click.Context, incident_id: str, account: str, role: Any) -> None:
    """Make ACCOUNT (id or name) a member of an incident, or give a member another role.

    Example: secops playbooks set-member inc_01k9 wang --role lead
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    members = session.services(PlaybooksServices).members
    member = members.set_member(session.actor, incident_id, account, role)
    click.echo(f"{member.account_id} {member.name} {member.role}")


@group.command("remove-member")
@click.argument("incident_id")
@click.argument("account")
@click.pass_context
def remove_member(ctx: click.Context, incident_id: str, account: str) -> None:
    """Remove ACCOUNT from an incident; the last lead stays.

    Example: secops playbooks remove-member inc_01k9 wang
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    members = session.services(PlaybooksServices).members
    members.remove_member(session.actor, incident_id, account)


@group.command("add-task")
@click.argument("incident_id")
@click.argument("title")
@click.option("--phase", type=click.Choice(_PHASES), required=True)
@click.option("--assignee", default="", help="An account's id or name.")
@click.option("--due", metavar="INSTANT", help="RFC 3339, e.g. 2026-11-23T08:00:00Z.")
@json_option
@click.pass_context
def add_task(ctx: click.Context, /, incident_id: str, title: str, **chosen: Any) -> None:
    """Add a task to an incident.

    Example: secops playbooks add-task inc_01k9 "更换口令" --phase contained --assignee wang
    """
    due_at = instant_or_none(chosen["due"], "--due")
    from playbooks.service import NewTask, PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.work_documents import task_document  # noqa: PLC0415

    session = session_of(ctx)
    new = NewTask(title, chosen["phase"], chosen["assignee"], due_at)
    task = session.services(PlaybooksServices).tasks.add_task(session.actor, incident_id, new)
    if chosen["as_json"]:
        print_json(task_document(task))
    else:
        click.echo(task.id)


@group.command("change-task")
@click.argument("task_id")
@click.option("--version", type=click.IntRange(1), required=True, help="As it was read.")
@click.option("--state", type=click.Choice(list(TASK_STATES)))
@click.option("--assignee", help='An account\'s id or name; "" for nobody.')
@click.option("--result", help="What came of it.")
@click.pass_context
def change_task(ctx: click.Context, /, task_id: str, **chosen: Any) -> None:
    """Say what became of a task, or whose it is.

    Example: secops playbooks change-task tsk_01k9 --version 1 --state done --result "已更换"
    """
    from playbooks.service import PlaybooksServices, TaskChange  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    tasks = session.services(PlaybooksServices).tasks
    task = tasks.change_task(session.actor, task_id, TaskChange(**chosen))
    click.echo(f"{task.id} {task.state} {task.version}")


@group.command("add-observable")
@click.argument("incident_id")
@click.argument("kind", type=click.Choice(list(OBSERVABLE_KINDS)))
@click.argument("value")
@click.option("--first-seen", metavar="INSTANT")
@click.option("--last-seen", metavar="INSTANT")
@click.pass_context
def add_observable(
    ctx: click.Context, /, incident_id: str, kind: str, value: str, **seen: str | None
) -> None:
    """Add something that was seen to an incident; hxxp and [.] are read as meant.

    Example: secops playbooks add-observable inc_01k9 domain "evil[.]example"
    """
    first = instant_or_none(seen["first_seen"], "--first-seen")
    last = instant_or_none(seen["last_seen"], "--last-seen")
    from playbooks.service import NewObservable, PlaybooksServices  # noqa: PLC0415

    session = session_of(ctx)
    observables = session.services(PlaybooksServices).observables
    added = observables.add_observable(
        session.actor, incident_id, NewObservable(kind, value, first, last)
    )
    click.echo(f"{added.kind} {added.value}")


@group.command("find-observable")
@click.argument("kind", type=click.Choice(list(OBSERVABLE_KINDS)))
@click.argument("value")
@json_option
@click.pass_context
def find_observable(ctx: click.Context, kind: str, value: str, *, as_json: bool) -> None:
    """List the incidents that something was seen in.

    Example: secops playbooks find-observable ip 203.0.113.9 --json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.work_documents import sighting_document  # noqa: PLC0415

    session = session_of(ctx)
    observables = session.services(PlaybooksServices).observables
    found = [
        sighting_document(one) for one in observables.find_observable(session.actor, kind, value)
    ]
    if as_json:
        print_json({"items": found, "next": None})
        return
    rows = [(d["incident_id"], d["state"], d["last_seen"], d["title"]) for d in found]
    print_table("事件 Incidents", ("id", "state", "last seen", "title"), rows)


@group.command("propose-levels")
@click.option("--target", required=True, help="especially_important, important or ordinary.")
@click.option("--loss", required=True, help="especially_serious, serious, considerable, minor.")
@click.option("--harm", default="", help="Social harm, in the words of the levels.")
@click.option("--figure", "figures", multiple=True, metavar="METRIC=NUMBER")
@json_option
@click.pass_context
def propose_levels(ctx: click.Context, /, figures: tuple[str, ...], **chosen: Any) -> None:
    """Propose the level of GB/T 20986 and the reporting level, with reasons and doubts.

    It sets nothing: a person does, by judge-incident.

    Example: secops playbooks propose-levels --target important --loss serious
    """
    from playbooks.service import LevelAnswers, PlaybooksServices  # noqa: PLC0415
    from playbooks.service.incidents.work_documents import advice_document  # noqa: PLC0415

    session = session_of(ctx)
    pairs = dict(figure.partition("=")[::2] for figure in figures)
    answers = LevelAnswers(chosen["target"], chosen["loss"], chosen["harm"], pairs)
    advice = session.services(PlaybooksServices).levels.propose_levels(session.actor, answers)
    if chosen["as_json"]:
        print_json(advice_document(advice))
        return
    click.echo(f"{advice.level} {advice.reporting_level}")
    for text in (*advice.reasons, *advice.doubts):
        click.echo(f"  {text.zh} · {text.en}")


@group.command("measure-response")
@click.option("--since", metavar="INSTANT", help="Default: 30 days before the end.")
@click.option("--until", metavar="INSTANT", help="Default: now.")
@json_option
@click.pass_context
def measure_response(
    ctx: click.Context, since: str | None, until: str | None, *, as_json: bool
) -> None:
    """Print MTTD, MTTA, time to contain and MTTR of incidents closed in a period.

    Example: secops playbooks measure-response --since 2026-10-01T00:00:00Z --json
    """
    period = instant_or_none(since, "--since"), instant_or_none(until, "--until")
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.work_documents import times_document  # noqa: PLC0415

    session = session_of(ctx)
    times = session.services(PlaybooksServices).times.measure_response(session.actor, *period)
    document = times_document(times)
    if as_json:
        print_json(document)
        return
    names = ("detect", "acknowledge", "contain", "resolve", "open_age")
    spreads = [(name, document[f"{name}_seconds"]) for name in names]
    rows = [(name, s["n"], s["p50"], s["p90"], s["mean"]) for name, s in spreads]
    print_table("响应用时(秒) Seconds", ("what", "n", "p50", "p90", "mean"), rows)
