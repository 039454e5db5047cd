"""``secops audits``: records of evidence with their documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import FILE, output, reason
from audits.models.records import RECORD_KINDS, RECORD_STATES
from secops.kernel.pages import page_request
from secops.terminal.files import read_at_most
from secops.terminal.output import (
    json_option,
    page_options,
    print_json,
    print_list,
    print_table,
    say,
)
from secops.terminal.session import session_of


def _records(ctx: click.Context) -> Any:
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    return session_of(ctx).services(AuditsServices).records


@group.command("add-record")
@click.argument("file", type=FILE)
@click.option("--kind", type=click.Choice(list(RECORD_KINDS)), required=True)
@click.option("--title", required=True)
@click.option("--held", "held_on", required=True, metavar="DAY", help="When it took place.")
@click.option(
    "--expires",
    "expires_on",
    default="",
    metavar="DAY",
    help="Last day; - for none, of a document.",
)
@click.option("--system", "system_id", default="", help="Default: all of the organisation's.")
@click.option("--item", "items", multiple=True, help="An item that it speaks to.")
@click.option("--evidence-kind", default="", help="A word of the evidence vocabulary.")
@click.option("--person", default="", help="Who answers for it.")
@click.option("--note", default="")
@click.pass_context
def add_record(ctx: click.Context, /, file: Path, **chosen: Any) -> None:
    """Keep FILE as evidence of a training, drill, plan, test, review or as a document.

    Example: secops audits add-record training-2026.pdf --kind training --title "年度安全培训"
    --held 2026-03-01 --item L3-HRS1-07 --person 张三
    """
    from audits.models.records import NewRecord  # noqa: PLC0415 - quick --help
    from audits.service.records.records import MAX_DOCUMENT  # noqa: PLC0415

    content = read_at_most(file, MAX_DOCUMENT, "a document")
    new = NewRecord(filename=file.name, **chosen)
    record = _records(ctx).add_record(session_of(ctx).actor, new, content)
    say(f"{record.id}: {record.sha256}")


@group.command("withdraw-record")
@click.argument("record_id")
@click.option("--version", type=click.IntRange(1), default=1, show_default=True)
@reason
@click.pass_context
def withdraw_record(ctx: click.Context, record_id: str, version: int, reason: str) -> None:
    """Let a wrong record count no more; it stays to be read.

    Example: secops audits withdraw-record rec_01k9 --reason "扫描件不清"
    """
    record = _records(ctx).withdraw_record(session_of(ctx).actor, record_id, version, reason)
    say(f"{record.id}: withdrawn, version {record.version}")


@group.command("list-records")
@click.option("--kind", type=click.Choice(list(RECORD_KINDS)), default=None)
@click.option("--state", type=click.Choice(list(RECORD_STATES)), default=None)
@click.option("--system", "system_id", default="")
@click.option("--item", default="")
@page_options
@json_option
@click.pass_context
def list_records(ctx: click.Context, /, **chosen: Any) -> None:
    """List records, the last uploaded first.

    Example: secops audits list-records --state expired
    """
    from audits.models.records import RecordFilter  # noqa: PLC0415 - quick --help
    from audits.service.records.documents import record_document  # noqa: PLC0415

    wanted = RecordFilter(
        kind=chosen["kind"] or "",
        system_id=chosen["system_id"],
        item=chosen["item"],
        state=chosen["state"] or "",
    )
    page = _records(ctx).list_records(
        session_of(ctx).actor, wanted, page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [record_document(view) for view in page.items]
    columns = ("id", "kind", "title", "held_on", "expires_on", "state", "system", "sha256")
    title = "举证材料 Records"
    print_list(title, columns, documents, as_json=chosen["as_json"], following=page.next)


@group.command("show-record")
@click.argument("record_id")
@json_option
@click.pass_context
def show_record(ctx: click.Context, record_id: str, *, as_json: bool) -> None:
    """Show what is known of a record.

    Example: secops audits show-record rec_01k9 --json
    """
    from audits.service.records.documents import record_document  # noqa: PLC0415 - quick --help

    document = record_document(_records(ctx).show_record(session_of(ctx).actor, record_id))
    if as_json:
        print_json(document)
        return
    print_table("举证材料 Record", ("", ""), [(name, str(text)) for name, text in document.items()])


@group.command("read-record")
@click.argument("record_id")
@output
@click.pass_context
def read_record(ctx: click.Context, record_id: str, output: Path) -> None:
    """Write a record's document to a file; the ledger notes who read it.

    Example: secops audits read-record rec_01k9 -o training.pdf
    """
    record, content = _records(ctx).read_record(session_of(ctx).actor, record_id)
    output.write_bytes(content)
    say(f"wrote {output}: {record.sha256}")
