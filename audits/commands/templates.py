"""``secops audits``: add-, list-, read- and retire-report-template."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from audits.commands.group import group
from audits.commands.options import FILE, output
from audits.models.forms import TEMPLATE_FORMS, Form
from secops.kernel.pages import PageRequest
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

_COLUMNS = ("id", "form", "name", "version", "added_by", "added_at", "retired_at")
_form = click.option(
    "--format", "form", type=click.Choice(TEMPLATE_FORMS), default="docx", show_default=True
)


@group.command("add-report-template")
@click.argument("file", type=FILE)
@click.option("--name", required=True, help="The same name again is its next version.")
@_form
@click.pass_context
def add_report_template(ctx: click.Context, *, file: Path, name: str, form: str) -> None:
    """Try FILE as a template of reports and keep it; it is in use from now on.

    Faults are named with their place; the fields are listed in docs/manual/reports.md.

    Example: secops audits add-report-template ours.docx --name 局模板
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    added = session.services(AuditsServices).templates.add_report_template(
        session.actor, cast("Form", form), name, file.read_bytes()
    )
    say(f"{added.id}: {added.name} version {added.version}, in use")


@group.command("list-report-templates")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
@click.pass_context
def list_report_templates(ctx: click.Context, *, limit: int, as_json: bool) -> None:
    """List the templates of reports with all their versions, newest first.

    Example: secops audits list-report-templates --json
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.reports.templates import template_view  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).templates.list_report_templates(
        session.actor, PageRequest(limit)
    )
    items = [template_view(template) for template in page.items]
    if as_json:
        print_json({"items": items, "next": page.next})
        return
    rows = [[item[name] or "" for name in _COLUMNS] for item in items]
    print_table("Report templates", _COLUMNS, rows)


@group.command("read-report-template")
@click.argument("template")
@_form
@output
@click.pass_context
def read_report_template(ctx: click.Context, *, template: str, form: str, output: Path) -> None:
    """Write the file of TEMPLATE, a version's id or built-in, to OUTPUT.

    The built-in one, for docx or pdf, is what an office's own template may begin from.

    Example: secops audits read-report-template built-in --format pdf -o ours.typ
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    _, content = session.services(AuditsServices).templates.read_report_template(
        session.actor, template, cast("Form", form)
    )
    output.write_bytes(content)
    say(f"wrote {output}")


@group.command("retire-report-template")
@click.argument("template")
@click.pass_context
def retire_report_template(ctx: click.Context, *, template: str) -> None:
    """End the use of TEMPLATE, a version's id; the one before it is in use again.

    Example: secops audits retire-report-template rtp_01…
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    retired = session.services(AuditsServices).templates.retire_report_template(
        session.actor, template
    )
    say(f"{retired.id}: {retired.name} version {retired.version} is retired")
