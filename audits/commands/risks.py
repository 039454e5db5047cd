"""``secops audits``: the register of risks and scanners' files."""

from __future__ import annotations

from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import any_system, reason, system, version
from audits.commands.rectification_desk import print_with_history, rectification_of
from secops.kernel.pages import page_request
from secops.terminal.instants import instant
from secops.terminal.output import json_option, page_options, print_json, print_list, print_table
from secops.terminal.output import say as tell

_RATE = click.IntRange(1, 5)


def _say_risk(risk: Any, now: int, *, as_json: bool, **_: Any) -> None:
    from audits.service.rectification.documents import risk_document  # noqa: PLC0415

    document = risk_document(risk, now)
    if as_json:
        print_json(document)
        return
    click.echo(f"{document['id']} {document['level']} {document['state']} {document['title']}")
    if document["approval_id"]:
        tell(f"sha256 {document['digest']}")


@group.command("add-risk")
@click.argument("title")
@click.option("--asset", required=True, help="What is at risk.")
@click.option("--threat", required=True, help="intrusion, malware, misuse, leak, …")
@click.option("--weakness", required=True)
@click.option("--measures", default="", help="What there is against it.")
@click.option("--likelihood", type=_RATE, required=True)
@click.option("--impact", type=_RATE, required=True)
@system
@json_option
@click.pass_context
def add_risk(ctx: click.Context, /, title: str, **chosen: Any) -> None:
    """Enter a risk; its level comes from the table of 5 × 5.

    Example: secops audits add-risk 勒索 --asset 业务库 --threat malware --weakness 备份同网段
    --likelihood 4 --impact 5
    """
    from audits.models.risks import RiskFacts  # noqa: PLC0415 - quick --help
    from audits.service.risks.register import NewRisk  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    facts = RiskFacts(
        title, chosen["asset"], chosen["threat"], chosen["weakness"], chosen["measures"]
    )
    new = NewRisk(facts, chosen["likelihood"], chosen["impact"], chosen["system_id"])
    _say_risk(services.risks.add_risk(actor, new), now, **chosen)


@group.command("fill-risks")
@click.option("--assessment", "assessment_id", default="", help="Take its failing items too.")
@system
@json_option
@click.pass_context
def fill_risks(ctx: click.Context, /, **chosen: Any) -> None:
    """Fill the register from severe alerts, scanners' findings and an assessment.

    Example: secops audits fill-risks --assessment asm_01k9
    """
    from audits.service.rectification.documents import filled_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    filled = services.filling.fill_risks(actor, chosen["system_id"], chosen["assessment_id"])
    document = filled_document(filled, now)
    if chosen["as_json"]:
        print_json(document)
        return
    for word in ("added", "refreshed"):
        for risk in document[word]:
            click.echo(f"{word} {risk['id']} {risk['level']} {risk['title']}")
    tell(f"left for another time: {document['left']}")


@group.command("rate-risk")
@click.argument("risk_id")
@version
@click.option("--likelihood", type=_RATE, required=True)
@click.option("--impact", type=_RATE, required=True)
@click.option("--measures", default="")
@click.option("--threat", default="")
@click.option("--weakness", default="")
@json_option
@click.pass_context
def rate_risk(ctx: click.Context, /, risk_id: str, **chosen: Any) -> None:
    """Rate a risk as a person; what the machine proposed counts no longer.

    Example: secops audits rate-risk rsk_01k9 --version 1 --likelihood 3 --impact 4
    """
    from audits.service.risks.register import Rating  # noqa: PLC0415 - quick --help

    actor, services, now = rectification_of(ctx)
    names = ("version", "likelihood", "impact", "measures", "threat", "weakness")
    rating = Rating(**{name: chosen[name] for name in names})
    _say_risk(services.risks.rate_risk(actor, risk_id, rating), now, **chosen)


@group.command("treat-risk")
@click.argument("risk_id")
@version
@click.option("--treatment", type=click.Choice(["reduce", "transfer", "avoid"]), required=True)
@click.option("--plan", required=True)
@click.option("--owner", required=True, help="An account's name or id.")
@click.option("--due", required=True, metavar="INSTANT")
@click.option("--residual-likelihood", type=click.IntRange(0, 5), default=0)
@click.option("--residual-impact", type=click.IntRange(0, 5), default=0)
@json_option
@click.pass_context
def treat_risk(ctx: click.Context, /, risk_id: str, **chosen: Any) -> None:
    """Decide what is done about a risk, by whom and until when, and what remains.

    Example: secops audits treat-risk rsk_01k9 --version 2 --treatment reduce --plan 离线备份
    --owner analyst --due 2026-12-31T00:00:00Z
    """
    from audits.service.risks.register import TreatmentPlan  # noqa: PLC0415 - quick --help

    due_at = instant(chosen["due"], "--due")
    actor, services, now = rectification_of(ctx)
    plan = TreatmentPlan(
        chosen["version"],
        chosen["treatment"],
        chosen["plan"],
        chosen["owner"],
        due_at,
        chosen["residual_likelihood"],
        chosen["residual_impact"],
    )
    _say_risk(services.risks.treat_risk(actor, risk_id, plan), now, **chosen)


@group.command("close-risk")
@click.argument("risk_id")
@version
@reason
@json_option
@click.pass_context
def close_risk(ctx: click.Context, /, risk_id: str, **chosen: Any) -> None:
    """Close a risk of which little remains; by another person than its owner.

    Example: secops audits close-risk rsk_01k9 --version 3 --reason 已核实
    """
    actor, services, now = rectification_of(ctx)
    risk = services.risks.close_risk(actor, risk_id, chosen["version"], chosen["reason"])
    _say_risk(risk, now, **chosen)


@group.command("ask-acceptance")
@click.argument("risk_id")
@version
@reason
@click.option("--until", required=True, metavar="INSTANT", help="At most a year ahead.")
@json_option
@click.pass_context
def ask_acceptance(ctx: click.Context, /, risk_id: str, **chosen: Any) -> None:
    """Ask another person to accept a risk until a day.

    Example: secops audits ask-acceptance rsk_01k9 --version 3 --reason 成本过高
    --until 2026-12-31T00:00:00Z
    """
    until = instant(chosen["until"], "--until")
    actor, services, now = rectification_of(ctx)
    risk = services.acceptance.ask_acceptance(
        actor, risk_id, chosen["version"], chosen["reason"], until
    )
    _say_risk(risk, now, **chosen)


@group.command("decide-acceptance")
@click.argument("risk_id")
@click.option("--sha256", required=True, help="Of what you read (show-risk --json: digest).")
@click.option("--reject", is_flag=True)
@click.option("--reason", default="")
@json_option
@click.pass_context
def decide_acceptance(ctx: click.Context, /, risk_id: str, **chosen: Any) -> None:
    """Accept a risk, or refuse to, that somebody else asked for.

    Example: secops --as security-admin audits decide-acceptance rsk_01k9 --sha256 9f86…
    """
    actor, services, now = rectification_of(ctx)
    risk = services.acceptance.decide_acceptance(
        actor,
        risk_id,
        chosen["sha256"],
        grant=not chosen["reject"],
        reason=chosen["reason"],
    )
    _say_risk(risk, now, **chosen)


@group.command("list-risks")
@click.option("--state", default="", help="identified, treating, accepted, closed, overdue, …")
@click.option("--level", type=click.IntRange(0, 5), default=0)
@any_system
@page_options
@json_option
@click.pass_context
def list_risks(ctx: click.Context, /, **chosen: Any) -> None:
    """List the register of risks, the newest first.

    Example: secops audits list-risks --state overdue
    """
    from audits.models.risks import RiskFilter  # noqa: PLC0415 - quick --help
    from audits.service.rectification.documents import risk_document  # noqa: PLC0415

    actor, services, now = rectification_of(ctx)
    wanted = RiskFilter(chosen["system_id"], chosen["state"], chosen["level"])
    page = services.risks.list_risks(actor, wanted, page_request(chosen["limit"], chosen["cursor"]))
    columns = ("id", "level", "title", "asset_name", "state", "owner_name", "due_at", "version")
    print_list(
        "风险登记册 Register of risks",
        columns,
        [risk_document(risk, now) for risk in page.items],
        as_json=chosen["as_json"],
        following=page.next,
    )


@group.command("show-risk")
@click.argument("risk_id")
@json_option
@click.pass_context
def show_risk(ctx: click.Context, risk_id: str, *, as_json: bool) -> None:
    """Show a risk with its history.

    Example: secops audits show-risk rsk_01k9
    """
    from audits.service.rectification.documents import (  # noqa: PLC0415 - quick --help
        history_document,
        risk_document,
    )

    actor, services, now = rectification_of(ctx)
    risk, history = services.risks.show_risk(actor, risk_id)
    document, lines = risk_document(risk, now), history_document(history)
    print_with_history("风险 Risk", document, lines, as_json=as_json)


@group.command("risk-matrix")
@any_system
@json_option
@click.pass_context
def risk_matrix(ctx: click.Context, system_id: str, *, as_json: bool) -> None:
    """Show how many risks stand in each cell of the table of levels.

    Example: secops audits risk-matrix --json
    """
    from audits.service.rectification.documents import matrix_document  # noqa: PLC0415

    actor, services, _ = rectification_of(ctx)
    document = matrix_document(services.risks.risk_matrix(actor, system_id))
    if as_json:
        print_json(document)
        return
    rows = [
        (likelihood, *(f"{count} (L{level})" for count, level in zip(counts, levels, strict=True)))
        for likelihood, counts, levels in zip(
            range(1, 6), document["counts"], document["levels"], strict=True
        )
    ]
    columns = ("likelihood \\ impact", "1", "2", "3", "4", "5")
    print_table("风险矩阵 Risks by likelihood and impact", columns, rows)
    tell(document["doubt"]["zh"])
