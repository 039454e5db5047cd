"""Organisations, leavers and the import of people."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import click

from iam.commands.handing import enrolment_record, hand_out
from iam.models.imports import ImportReport
from iam.service import IamServices
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.pages import page_request
from secops.terminal.instants import instant
from secops.terminal.output import (
    json_option,
    print_json,
    print_table,
    progress_bar,
    say,
)
from secops.terminal.session import session_of


@click.command("create-organisation")
@click.argument("name")
@click.option("--parent", help="The organisation above it; your own by default.")
@click.pass_context
def create_organisation(ctx: click.Context, name: str, parent: str | None) -> None:
    """Register an organisation in the tree; print its id.

    Example: secops --as system-admin iam create-organisation 临江县数据局
    """
    session = session_of(ctx)
    service = session.services(IamServices).power.organisations
    made = service.create_organisation(session.actor, name, parent)
    print_json({"id": made.id, "name": made.name, "parent": made.parent_id})


@click.command("list-organisations")
@click.option("--parent", default="", help="Only those right under it.")
@click.option("--text", default="", help="Only those with this in their name.")
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_organisations(
    ctx: click.Context, parent: str, text: str, cursor: str | None, *, as_json: bool
) -> None:
    """List the organisations within your reach.

    Example: secops --as auditor iam list-organisations --text 数据局
    """
    session = session_of(ctx)
    page = session.services(IamServices).power.organisations.list_organisations(
        session.actor, page_request("200", cursor), parent_id=parent, text=text
    )
    records = [
        {
            "id": each.id,
            "name": each.name,
            "parent": each.parent_id,
            "closed_at": rfc3339_or_none(each.closed_at),
        }
        for each in page.items
    ]
    if as_json:
        print_json({"items": records, "next": page.next})
        return
    print_table(
        "Organisations", ("id", "name", "parent", "closed_at"), [tuple(r.values()) for r in records]
    )


@click.command("move-organisation")
@click.argument("organisation")
@click.argument("parent")
@click.pass_context
def move_organisation(ctx: click.Context, organisation: str, parent: str) -> None:
    """Hang an organisation, with everything below it, under another one.

    Example: secops --as system-admin iam move-organisation org_01k… org_01j…
    """
    session = session_of(ctx)
    service = session.services(IamServices).power.organisations
    service.move_organisation(session.actor, organisation, parent)
    say(f"{organisation} is now under {parent}")


@click.command("close-organisation")
@click.argument("organisation")
@click.pass_context
def close_organisation(ctx: click.Context, organisation: str) -> None:
    """Close an organisation that nothing open is in any more.

    Example: secops --as system-admin iam close-organisation org_01k…
    """
    session = session_of(ctx)
    session.services(IamServices).power.organisations.close_organisation(
        session.actor, organisation
    )
    say(f"{organisation} is closed")


@click.command("order-departure")
@click.argument("account")
@click.option("--reason", required=True, help="For the ledger.")
@click.option("--on", "due_at", metavar="TIME", help="RFC 3339; now by default.")
@click.option("--successor", help="Who gets the leaver's service accounts.")
@click.pass_context
def order_departure(
    ctx: click.Context, account: str, reason: str, due_at: str | None, successor: str | None
) -> None:
    """Let somebody go: posts, roles, mandates and sessions end, the account closes.

    Example: secops --as system-admin iam order-departure zhang.wei --reason 调离 --successor li.lei
    """
    session = session_of(ctx)
    ordered = session.services(IamServices).power.departures.order_departure(
        session.actor,
        account,
        reason,
        due_at=instant(due_at, "--on") if due_at else None,
        successor=successor,
    )
    say(f"{account}: {ordered.state}, {to_rfc3339(ordered.due_at)} ({ordered.id})")


def _show(report: ImportReport) -> None:
    say(
        f"{report.table.encoding}, columns "
        + ", ".join(f"{field}={title}" for field, title in report.table.columns.items())
    )
    for title in report.table.unknown:
        say(f"column not used: {title}")
    for row in report.faults:
        for fault in row.faults:
            say(f"row {row.number} {row.name}: {fault.column}: {fault.what.en} - {fault.remedy.en}")


def _record(report: ImportReport) -> dict[str, Any]:
    return {
        "dry_run": report.dry_run,
        "good": report.good,
        "faulty": report.faulty,
        "faults": [
            {
                "row": row.number,
                "name": row.name,
                "column": fault.column,
                "what": fault.what.en,
                "remedy": fault.remedy.en,
            }
            for row in report.faults
            for fault in row.faults
        ],
    }


@click.command("import-people")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Show what would happen; nothing is kept.")
@click.option("--good-rows", is_flag=True, help="Import the good rows where others are faulty.")
@click.option("--column", multiple=True, help="FIELD=HEADING where a heading is unknown.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for enrolments.")
@json_option
@click.pass_context
def import_people(ctx: click.Context, /, file: Path, *, as_json: bool, **given: Any) -> None:
    """Import people from a CSV table (UTF-8 or GB18030) as accounts without any role.

    Example: secops --as system-admin iam import-people people.csv --dry-run
    """
    session = session_of(ctx)
    imports = session.services(IamServices).power.imports
    content = file.read_bytes()
    columns = _columns(given["column"])
    if not given["dry_run"] and given["output"] is None:
        msg = "-o names the folder for the enrolments, which are shown this once"
        raise click.UsageError(msg)
    report = imports.preview_people(session.actor, content, columns)
    _show(report)
    if not given["dry_run"]:
        wanted = "good" if given["good_rows"] else "all"
        with progress_bar("people", report.good) as bar:
            report = imports.import_people(
                session.actor,
                content,
                wanted,  # type: ignore[arg-type] # one of the two
                columns=columns,
                progress=bar.advance,
            )
        _hand_out(report, given["output"])
    if as_json:
        print_json(_record(report))
    else:
        say(f"{report.good} good rows, {report.faulty} faulty")


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    columns = {}
    for each in given:
        field, equals, heading = each.partition("=")
        if not equals:
            msg = "--column takes FIELD=HEADING"
            raise click.UsageError(msg)
        columns[field] = heading
    return columns


def _hand_out(report: ImportReport, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for issued in report.enrolments:
        hand_out(enrolment_record(issued), folder / f"{issued.account_id}.json", quiet=True)
    with (folder / "index.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["account", "file", "expires_at"])
        for issued in report.enrolments:
            writer.writerow(
                [issued.account_name, f"{issued.account_id}.json", to_rfc3339(issued.expires_at)]
            )
    say(f"{len(report.enrolments)} enrolments in {folder} (mode 0600)")


COMMANDS: Final = (
    create_organisation,
    list_organisations,
    move_organisation,
    close_organisation,
    order_departure,
    import_people,
)
