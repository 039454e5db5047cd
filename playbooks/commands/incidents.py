"""``secops playbooks``: open, list, show, move, judge and report incidents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from playbooks.commands.group import group
from playbooks.models import INCIDENT_STATES
from playbooks.models.incidents import ENDINGS
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_table, say
from secops.terminal.session import session_of

_FORMATS = {
    ".md": "md",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".docx": "docx",
    ".pdf": "pdf",
}


@group.command("open-incident")
@click.option("--alert", "alert_id", metavar="ID", help="The alert it starts from.")
@click.option("--title", default="", help="Default: the alert's title.")
@click.option(
    "--severity",
    type=click.Choice(["low", "medium", "high", "critical"]),
    default="medium",
    show_default=True,
    help="Of an incident without an alert.",
)
@click.option("--drill", is_flag=True, help="An exercise: counted apart, marked in the report.")
@json_option
@click.pass_context
def open_incident(ctx: click.Context, /, **chosen: Any) -> None:
    """Open an incident from an alert, or with a title of its own.

    Example: secops --as analyst playbooks open-incident --alert alr_01k9
    """
    from playbooks.service import NewIncident, PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.documents import incident_document  # noqa: PLC0415

    session = session_of(ctx)
    new = NewIncident(
        alert_id=chosen["alert_id"],
        title=chosen["title"],
        severity=chosen["severity"],
        drill=chosen["drill"],
    )
    incident = session.services(PlaybooksServices).incidents.open_incident(session.actor, new)
    if chosen["as_json"]:
        print_json(incident_document(incident))
    else:
        click.echo(incident.id)


@group.command("list-incidents")
@click.option("--state", default="", help="open, or one state.")
@page_options
@json_option
@click.pass_context
def list_incidents(ctx: click.Context, /, **chosen: Any) -> None:
    """List incidents, newest first.

    Example: secops playbooks list-incidents --state open --json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.documents import incident_document  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(PlaybooksServices).incidents.list_incidents(
        session.actor, chosen["state"], page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [incident_document(incident) for incident in page.items]
    if chosen["as_json"]:
        print_json({"items": documents, "next": page.next})
        return
    rows = [(d["id"], d["state_zh"], d["severity"], d["opened_at"], d["title"]) for d in documents]
    print_table("事件 Incidents", ("id", "状态", "级别", "开立时间", "名称"), rows)


@group.command("show-incident")
@click.argument("incident_id")
@json_option
@click.pass_context
def show_incident(ctx: click.Context, incident_id: str, *, as_json: bool) -> None:
    """Show an incident with its alerts, clocks, runs and timeline.

    Example: secops playbooks show-incident inc_01k9 --json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.documents import incident_view_document  # noqa: PLC0415

    session = session_of(ctx)
    view = session.services(PlaybooksServices).incidents.show_incident(session.actor, incident_id)
    document = incident_view_document(view)
    if as_json:
        print_json(document)
        return
    head = ("id", "title", "state_zh", "severity", "category", "level", "cause", "discovered_at")
    print_table("事件 Incident", ("", ""), [(name, document[name]) for name in head])
    clocks = [
        (c["name"], "、".join(c["to"]), c["due_at"], "超时" if c["overdue"] else "")
        for c in document["clocks"]
    ]
    print_table("法定时限 Clocks", ("what", "to", "due", ""), clocks)
    runs = [(r["id"], r["state"], r["approver_id"], r["error"]) for r in document["runs"]]
    print_table("剧本运行 Runs", ("id", "state", "approver", "error"), runs)
    lines = [(t["at"], t["actor"], t["text"]) for t in document["timeline"]]
    print_table("时间线 Timeline", ("at", "who", "what"), lines)


@group.command("change-state")
@click.argument("incident_id")
@click.argument("state", type=click.Choice(list(INCIDENT_STATES)))
@click.option("--reason", default="")
@click.option(
    "--ending",
    type=click.Choice([ending for ending in ENDINGS if ending != "handled"]),
    help="As what it is closed from triage. Default: false_alarm.",
)
@click.option("--duplicate-of", default="", metavar="ID", help="The incident it doubles.")
@click.pass_context
def change_state(ctx: click.Context, /, incident_id: str, state: Any, **chosen: Any) -> None:
    """Move an incident on: triage, confirmed, contained, eradicated, recovered, lessons, closed.

    Example: secops playbooks change-state inc_01k9 confirmed
    """
    from playbooks.service import PlaybooksServices, StateChange  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    incident = session.services(PlaybooksServices).incidents.change_state(
        session.actor, incident_id, state, StateChange(**chosen)
    )
    click.echo(f"{incident.id} {incident.state} {INCIDENT_STATES[incident.state].zh}")


@group.command("judge-incident")
@click.argument("incident_id")
@click.option("--category", help="A class or subclass of GB/T 20986, e.g. NACRED.")
@click.option("--level", help="Its level: especially_major, major, considerable, ordinary.")
@click.option("--reporting-level", help="The level of the reporting rule, same words.")
@click.option("--cause")
@click.option("--lessons", help="What was learned; wanted before closing from considerable up.")
@click.option("--basis", default="", help="What the level was judged by.")
@click.pass_context
def judge_incident(ctx: click.Context, /, incident_id: str, **chosen: Any) -> None:
    """Set class, levels, cause and lessons learned of an incident.

    Example: secops playbooks judge-incident inc_01k9 --category NACRED --level ordinary
    """
    from playbooks.service import Judgement, PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    incident = session.services(PlaybooksServices).incidents.judge_incident(
        session.actor, incident_id, Judgement(**chosen)
    )
    click.echo(f"{incident.id} {incident.category} {incident.level}")


@group.command("add-note")
@click.argument("incident_id")
@click.argument("text")
@click.pass_context
def add_note(ctx: click.Context, incident_id: str, text: str) -> None:
    """Add a line to an incident's timeline.

    Example: secops playbooks add-note inc_01k9 "已与网络中心确认来源地址"
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    session.services(PlaybooksServices).incidents.add_note(session.actor, incident_id, text)


@group.command("report-incident")
@click.argument("incident_id")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.md, FILE.html, FILE.json, FILE.docx or FILE.pdf.",
)
@click.option(
    "--kind",
    type=click.Choice(["full", "first"]),
    default="full",
    show_default=True,
    help="first: what is known so far; what isn't is named.",
)
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.pass_context
def report_incident(ctx: click.Context, /, incident_id: str, output: Path, **chosen: Any) -> None:
    """Write an incident's report to a file; its ending chooses the format.

    Example: secops playbooks report-incident inc_01k9 --kind first -o first.docx
    """
    wanted: Any = _FORMATS.get(output.suffix.lower())
    if wanted is None:
        msg = f"the file ends in {', '.join(_FORMATS)}"
        raise click.UsageError(msg)
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    content = session.services(PlaybooksServices).reports.report_incident(
        session.actor, incident_id, output=wanted, kind=chosen["kind"], language=chosen["language"]
    )
    output.write_bytes(content)
    say(f"{output}: {len(content)} bytes")
