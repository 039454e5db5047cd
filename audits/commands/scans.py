"""``secops audits``: scanners' files and what they found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import FILE, any_system, reason, system
from audits.commands.rectification_desk import rectification_of
from secops.kernel.pages import page_request
from secops.terminal.files import read_at_most
from secops.terminal.instants import instant
from secops.terminal.output import json_option, page_options, print_json, print_list
from secops.terminal.output import say as tell


@group.command("import-scan")
@click.argument("file", type=FILE)
@click.option("--format", "form", type=click.Choice(["sarif", "csv"]), required=True)
@click.option("--scope", required=True, help="What was scanned; later scans of it replace it.")
@click.option("--scanned-at", required=True, metavar="INSTANT")
@click.option("--column", "columns", multiple=True, metavar="FIELD=HEADING")
@system
@json_option
@click.pass_context
def import_scan(ctx: click.Context, /, file: Path, **chosen: Any) -> None:
    """Read a scanner's FILE: SARIF 2.1.0, or CSV with headings.

    Fields of a CSV: rule, title, severity, asset, place, description.

    Example: secops audits import-scan scan.csv --format csv --scope 内网
    --scanned-at 2026-11-01T00:00:00Z --column asset=主机
    """
    from audits.service.rectification.documents import scan_document  # noqa: PLC0415
    from audits.service.rectification_desk import MAX_FILE  # noqa: PLC0415 - quick --help
    from audits.service.risks.scans import NewScan  # noqa: PLC0415

    content = read_at_most(file, MAX_FILE, "a scanner's file")
    mapping = dict(_pair(text) for text in chosen["columns"])
    scanned_at = instant(chosen["scanned_at"], "--scanned-at")
    actor, services, _ = rectification_of(ctx)
    new = NewScan(
        chosen["form"],
        content,
        chosen["scope"],
        scanned_at,
        chosen["system_id"],
        mapping,
    )
    scan, doubts = services.scans.import_scan(actor, new)
    document = scan_document(scan, doubts)
    if chosen["as_json"]:
        print_json(document)
        return
    click.echo(f"{scan.id} {scan.findings} findings, {scan.added} new, {scan.gone} gone")
    for doubt in doubts:
        tell(doubt.zh)


def _pair(text: str) -> tuple[str, str]:
    field, separator, heading = text.partition("=")
    if not separator:
        msg = f"--column takes FIELD=HEADING, not {text!r}"
        raise click.UsageError(msg)
    return field, heading


@group.command("retire-scan-scope")
@click.argument("scope")
@system
@reason
@json_option
@click.pass_context
def retire_scan_scope(ctx: click.Context, /, scope: str, **chosen: Any) -> None:
    """Give up a scope of scans, of which no further one will come; nothing of it is mended by that.

    Its findings count until their tasks are closed by a named person. A later scan of it takes it
    up again.

    Example: secops audits retire-scan-scope 内网 --reason 扫描器合同到期
    """
    from audits.service.rectification.documents import scan_document  # noqa: PLC0415

    actor, services, _ = rectification_of(ctx)
    last = services.scans.retire_scan_scope(actor, chosen["system_id"], scope, chosen["reason"])
    if chosen["as_json"]:
        print_json(scan_document(last))
        return
    click.echo(f"{last.scope}: retired after {last.id}")


@group.command("list-scan-scopes")
@any_system
@json_option
@click.pass_context
def list_scan_scopes(ctx: click.Context, system_id: str, *, as_json: bool) -> None:
    """List what is scanned: each scope with its last scan and the findings that stand in it.

    Example: secops audits list-scan-scopes --system this
    """
    from audits.service.rectification.documents import scope_document  # noqa: PLC0415

    actor, services, _ = rectification_of(ctx)
    found = services.scans.list_scan_scopes(actor, system_id)
    columns = ("scope", "system_id", "scanner", "scanned_at", "standing", "state", "retired_reason")
    print_list(
        "扫描范围 Scopes of scans",
        columns,
        [scope_document(scope) for scope in found],
        as_json=as_json,
    )


@group.command("list-findings")
@click.option("--state", type=click.Choice(["open", "gone", "retired"]), default=None)
@click.option("--severity", default="")
@click.option("--scope", default="")
@any_system
@page_options
@json_option
@click.pass_context
def list_findings(ctx: click.Context, /, **chosen: Any) -> None:
    """List scanners' findings, the last seen first.

    Example: secops audits list-findings --state open --severity critical
    """
    from audits.models.risks import FindingFilter  # noqa: PLC0415 - quick --help
    from audits.service.rectification.documents import finding_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    wanted = FindingFilter(
        chosen["system_id"], chosen["scope"], chosen["state"] or "", chosen["severity"]
    )
    page = services.scans.list_findings(
        actor, wanted, page_request(chosen["limit"], chosen["cursor"])
    )
    columns = ("fingerprint", "rule_id", "severity", "asset", "place", "state", "due_at")
    print_list(
        "扫描发现 Scanners' findings",
        columns,
        [finding_document(finding, now) for finding in page.items],
        as_json=chosen["as_json"],
        following=page.next,
    )


@group.command("list-scans")
@page_options
@json_option
@click.pass_context
def list_scans(ctx: click.Context, /, **chosen: Any) -> None:
    """List scanners' files that were read, the last first.

    Example: secops audits list-scans
    """
    from audits.service.rectification.documents import scan_document  # noqa: PLC0415

    actor, services, _ = rectification_of(ctx)
    page = services.scans.list_scans(actor, page_request(chosen["limit"], chosen["cursor"]))
    columns = ("id", "scope", "scanner", "scanned_at", "findings", "added", "gone")
    print_list(
        "扫描 Scans",
        columns,
        [scan_document(scan) for scan in page.items],
        as_json=chosen["as_json"],
        following=page.next,
    )
