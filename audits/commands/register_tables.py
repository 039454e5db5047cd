"""``secops audits``: suppliers' accesses, coverage of log sources, whole tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import FILE, language, output, system, version
from audits.commands.systems import register_of
from audits.models.filing import FILING_FORMS
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


@group.command("add-supplier-access")
@system
@click.option("--supplier", required=True)
@click.option("--person", required=True)
@click.option("--purpose", required=True)
@click.option("--from", "starts_at", required=True, metavar="DAY")
@click.option("--until", "ends_at", required=True, metavar="DAY", help="The last day.")
@click.option("--account", default="", help="The account it is done with, by name.")
@click.option("--approved-by", default="")
@click.pass_context
def add_supplier_access(ctx: click.Context, /, system_id: str, **written: str) -> None:
    """Register what somebody from outside may reach, and until when.

    Example: secops audits add-supplier-access --system sys_01k9 --supplier 某软件公司 --person 王五
    --purpose 运维 --from 2026-03-01 --until 2026-05-31 --account wangwu --approved-by 张三
    """
    access = register_of(ctx).suppliers.add_supplier_access(
        session_of(ctx).actor, system_id, written
    )
    say(f"{access.id}: version {access.version}")


@group.command("end-supplier-access")
@click.argument("access_id")
@version
@click.pass_context
def end_supplier_access(ctx: click.Context, access_id: str, version: int) -> None:
    """Note that an access was taken away, before its time or after it.

    Example: secops audits end-supplier-access sup_01k9 --version 1
    """
    access = register_of(ctx).suppliers.end_supplier_access(
        session_of(ctx).actor, access_id, version
    )
    say(f"{access.id}: ended, version {access.version}")


@group.command("list-supplier-accesses")
@page_options
@json_option
@click.pass_context
def list_supplier_accesses(ctx: click.Context, /, **chosen: Any) -> None:
    """List what suppliers may reach, those that end last first; what is over stays in sight.

    Example: secops audits list-supplier-accesses
    """
    from audits.service.systems.documents import access_document  # noqa: PLC0415 - quick --help

    page = register_of(ctx).suppliers.list_supplier_accesses(
        session_of(ctx).actor, page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [access_document(view) for view in page.items]
    columns = ("id", "system", "supplier", "person", "ends_at", "state", "account", "late")
    title = "供应商访问 Suppliers' accesses"
    print_list(title, columns, documents, as_json=chosen["as_json"], following=page.next)


@group.command("show-source-coverage")
@json_option
@click.pass_context
def show_source_coverage(ctx: click.Context, *, as_json: bool) -> None:
    """Show which log source belongs to which assets, and what belongs to none.

    Example: secops audits show-source-coverage
    """
    from audits.service.systems.documents import coverage_document  # noqa: PLC0415 - quick --help

    coverage = register_of(ctx).assets.show_source_coverage(session_of(ctx).actor)
    document = coverage_document(coverage)
    if as_json:
        print_json(document)
        return
    rows = [
        (
            source["name"],
            "known" if source["known"] else "unknown",
            source["grade"],
            ", ".join(asset["name"] for asset in source["assets"]) or "-",
        )
        for source in document["sources"]
    ]
    print_table("日志来源 Log sources", ("source", "state", "grade", "assets"), rows)
    bare = [asset["name"] for asset in document["assets_without_log"]]
    if bare:
        say(f"没有日志来源的资产 assets without a log source: {', '.join(bare)}")
    if not coverage.readable:
        say("您无权查看日志来源,只列出资产所登记的 you may not see log sources: claims alone")


@group.command("import-systems")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@click.pass_context
def import_systems(ctx: click.Context, *, file: Path, dry_run: bool, as_json: bool) -> None:
    """Import systems and assets from FILE (CSV or XLSX), all rows or none.

    Every faulty row is listed, and the exit code is then 1. Rows with an id change what has it,
    if its version still is that of the row; others are new.

    Example: secops audits import-systems register.xlsx --dry-run
    """
    from audits.service.systems.documents import import_document  # noqa: PLC0415 - quick --help
    from audits.service.systems.tables import MAX_TABLE, ROW_ACTIONS  # noqa: PLC0415

    content, actor = read_at_most(file, MAX_TABLE, "a file"), session_of(ctx).actor
    tables = register_of(ctx).tables
    report = tables.preview_systems(actor, content)
    if not report.faulty and not dry_run:
        report = tables.import_systems(actor, content)
    if as_json:
        print_json(import_document(report))
    else:
        faults = [
            (row.number, row.kind, row.name, f"{fault.column.zh}: {fault.what.zh}", fault.what.en)
            for row in report.faulty
            for fault in row.faults
        ]
        if faults:
            print_table("有误 Faulty rows", ("row", "kind", "name", "说明", "why"), faults)
        counts = ", ".join(f"{report.count(action)} {action}" for action in ROW_ACTIONS)
        say(counts)
    if report.faulty:
        say("没有导入任何内容 nothing was imported")
        ctx.exit(1)


@group.command("export-filing-sheet")
@click.argument("system_id")
@output
@click.option(
    "--format", "form", type=click.Choice(FILING_FORMS), default="xlsx", show_default=True
)
@language
@click.pass_context
def export_filing_sheet(ctx: click.Context, /, system_id: str, **chosen: Any) -> None:
    """Export a system's data for its filing (备案) for Excel or Word; not the official form.

    Example: secops audits export-filing-sheet sys_01k9 --format docx -o filing.docx
    """
    output: Path = chosen["output"]
    content = register_of(ctx).systems.export_filing_sheet(
        session_of(ctx).actor, system_id, chosen["form"], chosen["language"]
    )
    output.write_bytes(content)
    say(f"wrote {output}")


@group.command("export-systems")
@output
@click.option("--table", type=click.Choice(["systems", "assets"]), help="As CSV, instead of XLSX.")
@language
@click.pass_context
def export_systems(ctx: click.Context, /, output: Path, **chosen: Any) -> None:
    """Export the register in use: a workbook of all of it, or one table as CSV.

    Example: secops audits export-systems -o register.xlsx
    """
    tables, actor = register_of(ctx).tables, session_of(ctx).actor
    if chosen["table"]:
        content = tables.export_table(actor, chosen["table"], chosen["language"])
    else:
        content = tables.export_systems(actor, chosen["language"])
    output.write_bytes(content)
    say(f"wrote {output}")
