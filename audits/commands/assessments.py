"""``secops audits``: assess, enter-judgement, list-assessments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import FILE, level, standard, system
from secops.kernel.pages import page_request
from secops.terminal.output import (
    json_option,
    page_options,
    print_json,
    print_list,
    print_table,
    say,
)
from secops.terminal.session import session_of


@group.command("assess")
@standard
@level
@system
@click.option("--fail-on-gap", is_flag=True, help="Exit 1 if an item fails or is partly met.")
@json_option
@click.pass_context
def assess(ctx: click.Context, /, **chosen: Any) -> None:
    """Check a system against a standard's items, from real state and logs.

    What nobody can judge here stays 未核查; coverage is printed. This is a self-check, never
    an 等级测评.

    Example: secops audits assess --standard gbt22239 --level 3 --json
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.documents import assessment_view  # noqa: PLC0415

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
    for one in document["calculations"]:
        _print_calculation(one)
    for risk in document["high_risks"]:
        say(f"{risk['item']} {risk['id']}: {risk['state']} {risk['state_en']}")
    say(f"{document['disclaimer']['zh']} ({document['id']})")


def _print_calculation(one: Mapping[str, Any]) -> None:
    """Print one calculator's figures with its edition and every doubt."""
    figures = ", ".join(f"{name} {figure}" for name, figure in one["figures"].items())
    conclusion = one["conclusion"]["zh"] if one["conclusion"] else "—"
    applies = "" if one["applies"] else " (本报告日期不适用 not for this date)"
    say(f"{one['title']['zh']} [{one['edition']}]{applies}: {figures}; {conclusion}")
    for doubt in one["doubts"]:
        say(f"  ? {doubt['zh']}")


@group.command("enter-judgement")
@click.argument("item")
@click.option(
    "--status",
    required=True,
    type=click.Choice(["compliant", "partial", "noncompliant", "not_applicable"]),
)
@click.option("--reason", required=True, help="What was examined and found.")
@click.option("--person", required=True, help="Who judged.")
@click.option("--evidence", type=FILE, help="A document; its hash is kept with the entry.")
@click.option("--asset", "object_id", default="", help="One asset. Default: the item as such.")
@click.option("--days", type=click.IntRange(1, 366), default=180, show_default=True)
@standard
@system
@click.pass_context
def enter_judgement(ctx: click.Context, /, **chosen: Any) -> None:
    """Enter what a named person judged for ITEM; it counts from the next assessment on.

    Example: secops audits enter-judgement L3-PES1-01 --status compliant --person 李四
    --reason "机房位置符合,见验收报告" --evidence acceptance.pdf
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.entering import Judgement  # noqa: PLC0415

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
        object_id=chosen["object_id"],
    )
    entry = service.enter_judgement(
        session.actor, chosen["standard"], judgement, chosen["system_id"]
    )
    say(f"{entry.id}: {entry.item_id} {entry.status}")


@group.command("list-assessments")
@page_options
@json_option
@click.pass_context
def list_assessments(ctx: click.Context, *, limit: str, cursor: str | None, as_json: bool) -> None:
    """List the assessments made, newest first.

    Example: secops audits list-assessments --limit 10
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.documents import summary_view  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).assessments.list_assessments(
        session.actor, page_request(limit, cursor)
    )
    records = [summary_view(summary) for summary in page.items]
    columns = ("id", "standard", "level", "made_at", "made_by", "judged", "applicable")
    print_list("Assessments", columns, records, as_json=as_json, following=page.next)
