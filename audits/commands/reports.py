"""``secops audits``: export-report, export-archive, verify-report, prove-finding, list-exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from audits.commands.group import group
from audits.commands.options import FILE, language, level, output, standard, system
from audits.models.forms import FORMS
from secops.kernel.catalogue import Language
from secops.kernel.pages import PageRequest
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import Session, session_of

_partners = click.option(
    "--encrypt-for", "partners", multiple=True, help="An OpenPGP partner; repeat for more."
)
_vkeys = click.option(
    "--vkeys", type=FILE, help="The ledger's keys kept elsewhere. Default: the home's."
)


@group.command("export-report")
@standard
@level
@system
@click.option("--assessment", "assessment_id", help="Export this one instead of assessing anew.")
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="html")
@language
@click.option(
    "--template", default="", help="A template's id, or built-in. Default: the office's own."
)
@_partners
@output
@click.pass_context
def export_report(ctx: click.Context, /, **chosen: Any) -> None:
    """Export a signed report to FILE and its proof to FILE.proof.

    With --encrypt-for, FILE is one OpenPGP message that holds both.

    Example: secops audits export-report --level 3 --format html -o gap.html
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.reports.reports import Wishes  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    services, actor = session.services(AuditsServices), session.actor
    assessment_id = chosen["assessment_id"]
    if assessment_id is None:
        made = services.assessments.assess(
            actor, chosen["standard"], chosen["level"], chosen["system_id"]
        )
        assessment_id = made.id
    output, wanted = cast("Path", chosen["output"]), (chosen["form"], chosen["language"])
    wishes = Wishes(chosen["template"], chosen["partners"])
    if wishes.partners:
        report = services.reports.protect_report(actor, assessment_id, *wanted, wishes=wishes)
        output.write_bytes(report.content)
        say(f"wrote {output}")
        return
    report = services.reports.export_report(actor, assessment_id, *wanted, wishes=wishes)
    output.write_bytes(report.content)
    proof = output.with_name(f"{output.name}.proof")
    proof.write_bytes(report.proof)
    say(f"wrote {output} and {proof}")


@group.command("export-archive")
@click.argument("assessment")
@language
@click.option("--template", default="", help="built-in. Default: the office's own, form by form.")
@_partners
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.pass_context
def export_archive(ctx: click.Context, /, *, assessment: str, output: Path, **chosen: Any) -> None:
    """Export ASSESSMENT with reports, evidence, pages and verifier, signed as a whole.

    OUTPUT that ends with .zip is a file, any other a new folder.

    Example: secops audits export-archive asm_01… -o archive.zip
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.reports.reports import Wishes  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    archives = session.services(AuditsServices).archives
    language: Language = "zh" if chosen["language"] == "zh" else "en"
    wishes = Wishes(chosen["template"], chosen["partners"])
    if wishes.partners:
        made = archives.pack_archive(session.actor, assessment, language, wishes=wishes)
        output.write_bytes(made.content)
    else:
        sink = archives.tools.sink_at(output)
        archives.export_archive(session.actor, assessment, sink, language, wishes=wishes)
    say(f"wrote {output}")


@group.command("verify-report")
@click.argument("report", metavar="FILE", type=FILE)
@click.option("--proof", type=FILE, help="Default: FILE.proof.")
@_vkeys
@json_option
@click.pass_context
def verify_report(
    ctx: click.Context, *, report: Path, proof: Path | None, vkeys: Path | None, as_json: bool
) -> None:
    """Verify FILE with its proof; name what was changed, to the item.

    FILE may be the proof of one finding, which needs none beside it. Exit 1 if it does not
    verify.

    Example: secops audits verify-report gap.html --vkeys ~/kept/vkeys
    """
    from audits.errors import ReportChanged, ReportRejected  # noqa: PLC0415 - quick --help
    from audits.service.reports.files import ReportFiles  # noqa: PLC0415
    from audits.service.reports.views import verified_report_view  # noqa: PLC0415

    session = session_of(ctx)
    files, lines = session.files(ReportFiles), _lines(session, vkeys)
    beside = proof or report.with_name(f"{report.name}.proof")
    try:
        if beside.is_file():
            verified = files.verify_report(report.read_bytes(), beside.read_bytes(), lines)
        elif files.is_finding(report.read_bytes()):
            verified = files.verify_finding(report.read_bytes(), lines)
        else:
            raise ReportRejected(f"there is no {beside}")
    except ReportChanged as error:
        if as_json:
            changes = [
                {"how": how, "part": part, "items": list(items)}
                for how, part, items in error.changes
            ]
            print_json({"valid": False, "why": error.detail, "changes": changes})
        raise
    view = verified_report_view(verified)
    if as_json:
        print_json(view)
    else:
        print_table("Report verifies", ("what", "value"), list(view.items()))


@group.command("prove-finding")
@click.argument("report", metavar="FILE", type=FILE)
@click.argument("item")
@output
@click.option("--proof", type=FILE, help="Default: FILE.proof.")
@_vkeys
@click.pass_context
def prove_finding(ctx: click.Context, /, **chosen: Any) -> None:
    """Write a small file that proves one ITEM of the report FILE, and verifies alone.

    Example: secops audits prove-finding gap.html L3-CES1-04 -o finding.json
    """
    from audits.service.reports.files import ReportFiles  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    report: Path = chosen["report"]
    beside = chosen["proof"] or report.with_name(f"{report.name}.proof")
    finding = session.files(ReportFiles).prove_finding(
        report.read_bytes(),
        beside.read_bytes() if beside.is_file() else b"",
        chosen["item"],
        _lines(session, chosen["vkeys"]),
    )
    chosen["output"].write_bytes(finding)
    say(f"wrote {chosen['output']}")


@group.command("list-exports")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
@click.pass_context
def list_exports(ctx: click.Context, *, limit: int, as_json: bool) -> None:
    """List the reports and archives that were exported, newest first.

    Example: secops audits list-exports --limit 10
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.reports.views import exported_view  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).reports.list_exports(session.actor, PageRequest(limit))
    items = [exported_view(exported) for exported in page.items]
    if as_json:
        print_json({"items": items, "next": page.next})
        return
    columns = ("at", "assessment", "form", "language", "exported_by", "sha256")
    print_table("Exports", columns, [[item[name] for name in columns] for item in items])


def _lines(session: Session, vkeys: Path | None) -> list[str]:
    """Return the verification keys that were kept elsewhere, or those of the home."""
    keys = vkeys or session.home / "ledger" / "vkeys"
    return [line for line in keys.read_text().splitlines() if line] if keys.is_file() else []
