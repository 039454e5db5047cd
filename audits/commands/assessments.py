"""``secops audits``: assess, enter-judgement, list-assessments, export-report, verify-report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import click

from audits.commands.group import group
from secops.kernel.pages import PageRequest
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_standard = click.option(
    "--standard", type=click.Choice(["gbt22239", "gbt39786"]), default="gbt22239", show_default=True
)
_level = click.option("--level", type=click.IntRange(1, 4), default=3, show_default=True)
_system = click.option("--system", "system_id", default="this", help="Default: this instance.")


@group.command("assess")
@_standard
@_level
@_system
@click.option("--fail-on-gap", is_flag=True, help="Exit 1 if an item fails or is partly met.")
@json_option
@click.pass_context
def assess(ctx: click.Context, /, **chosen: Any) -> None:
    """Check this instance against a standard's items, from real state and logs.

    What nobody can judge here stays 未核查; coverage is printed. This is a self-check, never
    an 等级测评.

    Example: secops audits assess --standard gbt22239 --level 3 --json
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessment_views import assessment_view  # noqa: PLC0415

    session = session_of(ctx)
    assessment = session.services(AuditsServices).assessments.assess(
        session.actor, chosen["standard"], chosen["level"], chosen["system_id"]
    )
    document = assessment_view(assessment)
    if chosen["as_json"]:
        print_json(document)
    else:
        _print(document)
    gaps = document["counts"]["noncompliant"] + document["counts"]["partial"]
    if chosen["fail_on_gap"] and gaps:
        ctx.exit(1)


def _print(document: Mapping[str, Any]) -> None:
    rows = [
        (
            item["id"],
            item["clause"],
            item["requirement"]["zh"],
            item["status_zh"],
            item["reason"]["zh"],
        )
        for item in document["items"]
        if item["status"] != "unassessed"
    ]
    title = f"{document['title']['zh']} · {document['edition']} · {document['level']}"
    print_table(title, ("编号", "条款", "要求", "结果", "说明"), rows)
    coverage = document["coverage"]
    say(f"核查覆盖 coverage: {coverage['judged']}/{coverage['applicable']}")
    say(f"符合率(推算) rate: strict {document['rate']['strict']}")
    say(f"{document['disclaimer']['zh']} ({document['id']})")


@group.command("enter-judgement")
@click.argument("item")
@click.option(
    "--status",
    required=True,
    type=click.Choice(["compliant", "partial", "noncompliant", "not_applicable"]),
)
@click.option("--reason", required=True, help="What was examined and found.")
@click.option("--person", required=True, help="Who judged.")
@click.option("--evidence", type=_FILE, help="A document; its hash is kept with the entry.")
@click.option("--days", type=click.IntRange(1, 366), default=180, show_default=True)
@_standard
@_system
@click.pass_context
def enter_judgement(ctx: click.Context, /, **chosen: Any) -> None:
    """Enter what a named person judged for ITEM; it counts from the next assessment on.

    Example: secops audits enter-judgement L3-PES1-01 --status compliant --person 李四
    --reason "机房位置符合,见验收报告" --evidence acceptance.pdf
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments import Judgement  # noqa: PLC0415

    session = session_of(ctx)
    service = session.services(AuditsServices).assessments
    evidence = chosen["evidence"]
    digest = service.keep_document(session.actor, evidence.read_bytes()) if evidence else ""
    judgement = Judgement(
        item_id=chosen["item"],
        status=chosen["status"],
        reason=chosen["reason"],
        person=chosen["person"],
        evidence_digest=digest,
        days=chosen["days"],
    )
    entry = service.enter_judgement(
        session.actor, chosen["standard"], judgement, chosen["system_id"]
    )
    say(f"{entry.id}: {entry.item_id} {entry.status}")


@group.command("list-assessments")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
@click.pass_context
def list_assessments(ctx: click.Context, *, limit: int, as_json: bool) -> None:
    """List the assessments made, newest first.

    Example: secops audits list-assessments --limit 10
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessment_views import summary_view  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).assessments.list_assessments(
        session.actor, PageRequest(limit)
    )
    items = [summary_view(summary) for summary in page.items]
    if as_json:
        print_json({"items": items, "next": page.next})
        return
    columns = ("id", "standard", "level", "made_at", "made_by", "judged", "applicable")
    print_table("Assessments", columns, [[item[name] for name in columns] for item in items])


@group.command("export-report")
@_standard
@_level
@_system
@click.option("--assessment", "assessment_id", help="Export this one instead of assessing anew.")
@click.option("--format", "form", type=click.Choice(["html", "json"]), default="html")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def export_report(ctx: click.Context, /, **chosen: Any) -> None:
    """Export a signed report to FILE and its proof to FILE.proof.

    Example: secops audits export-report --level 3 --format html -o gap.html
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    services = session.services(AuditsServices)
    actor = session.actor
    assessment_id = chosen["assessment_id"]
    if assessment_id is None:
        made = services.assessments.assess(
            actor, chosen["standard"], chosen["level"], chosen["system_id"]
        )
        assessment_id = made.id
    report = services.reports.export_report(
        actor, assessment_id, chosen["form"], chosen["language"]
    )
    output = cast("Path", chosen["output"])
    output.write_bytes(report.content)
    proof = output.with_name(f"{output.name}.proof")
    proof.write_bytes(report.proof)
    say(f"wrote {output} and {proof}")


@group.command("verify-report")
@click.argument("report", metavar="FILE", type=_FILE)
@click.option("--proof", type=_FILE, help="Default: FILE.proof.")
@click.option("--vkeys", type=_FILE, help="The ledger's keys kept elsewhere. Default: the home's.")
@json_option
@click.pass_context
def verify_report(
    ctx: click.Context, *, report: Path, proof: Path | None, vkeys: Path | None, as_json: bool
) -> None:
    """Verify FILE with its proof: digests, signatures, and its entry in the ledger.

    Exit 1 if it does not verify.

    Example: secops audits verify-report gap.html --vkeys ~/kept/vkeys
    """
    from audits.errors import ReportRejected  # noqa: PLC0415 - quick --help
    from audits.service.assessment_views import verified_report_view  # noqa: PLC0415
    from audits.service.reports import ReportFiles  # noqa: PLC0415

    session = session_of(ctx)
    proof = proof or report.with_name(f"{report.name}.proof")
    keys = vkeys or session.home / "ledger" / "vkeys"
    if not proof.is_file():
        raise ReportRejected(f"there is no {proof}")
    lines = [line for line in keys.read_text().splitlines() if line] if keys.is_file() else []
    verified = session.files(ReportFiles).verify_report(
        report.read_bytes(), proof.read_bytes(), lines
    )
    view = verified_report_view(verified)
    if as_json:
        print_json(view)
    else:
        print_table("Report verifies", ("what", "value"), list(view.items()))
