"""Rules' reports, forecasts, exceptions, suppressions and entities on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from detectors.commands.files import rule_files
from detectors.commands.instants import instant
from detectors.commands.opened import opened
from secops.kernel.logs import Window
from secops.kernel.pages import page_request
from secops.terminal.output import (
    json_option,
    page_options,
    print_json,
    print_list,
    print_table,
    say,
)


def _wished(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every restriction of alerts has."""
    for option in (
        click.option("--days", type=int, default=30, show_default=True, help="Ends after."),
        click.option("--reason", required=True, help="Why."),
        click.option("--owner", required=True, help="Who answers for it."),
        click.option("--rule", "rule_id", default="*", help="A rule's id; without it: any."),
    ):
        function = option(function)
    return function


@click.command("show-rule")
@click.argument("rule_id")
@json_option
@click.pass_context
def show_rule(ctx: click.Context, rule_id: str, *, as_json: bool) -> None:
    """Show how a rule fares: what it saw and did not, its last hit, missing fields, cost.

    Example: secops --as analyst detectors show-rule 89ad56ed-710a-5102-9d5c-1d9bb7ac0b7e
    """
    from detectors.service.triage.triage_presentation import report_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    report = report_json(services.reports.report_rule(actor, rule_id))
    if as_json:
        print_json(report)
        return
    click.echo(f"{report['title']}\n{'on' if report['enabled'] else 'off'}")
    for name in ("problems", "last_seq", "gaps", "last_hit_at", "failure", "sources", "events"):
        click.echo(f"{name}: {report[name]}")
    click.echo(f"fields missing: {', '.join(report['fields_missing']) or 'none'}")
    click.echo(f"cost: {report['cost']} µs per 1,000 events")


@click.command("report-rules")
@json_option
@click.pass_context
def report_rules(ctx: click.Context, *, as_json: bool) -> None:
    """Report how the enabled rules fare, those with problems first.

    Example: secops --as analyst detectors report-rules --json
    """
    from detectors.service.triage.triage_presentation import report_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = [report_json(each) for each in services.reports.report_rules(actor)]
    columns = ("problems", "title", "events", "last_hit_at", "cost", "rule_id")
    print_list("Rules", columns, found, as_json=as_json)


@click.command("forecast")
@click.argument("rule")
@click.option("--since", metavar="TIME", help="Events from this time on (RFC 3339).")
@click.option("--until", metavar="TIME", help="Events before this time (RFC 3339).")
@json_option
@click.pass_context
def forecast(
    ctx: click.Context, rule: str, since: str | None, until: str | None, *, as_json: bool
) -> None:
    """Run a rule (a file or an id) over what is stored and say what it would raise.

    Example: secops --as analyst detectors forecast ./new_rule.yml --json
    """
    from detectors.service.triage.triage_presentation import forecast_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    window = Window(instant(since, "--since"), instant(until, "--until"))
    path = Path(rule)
    if path.exists():
        found = services.forecasts.forecast_files(actor, rule_files([path]), window)
    else:
        found = [services.forecasts.forecast_rule(actor, rule, window)]
    documents = [forecast_json(each) for each in found]
    if as_json:
        print_json({"items": documents})
        return
    for each in documents:
        days = each["alerts_per_day"]
        click.echo(
            f"{each['title']}: {days['mean']} alerts a day ({days['low']} to {days['high']}), "
            f"{each['alerts']} in all from {each['hits']} hits in {each['events']} events, "
            f"{each['cost']} µs per 1,000 events"
        )
        rows = [(group["group"], group["alerts"]) for group in each["groups"]]
        print_table("Most alerts", ("about", "alerts"), rows)
        for line in each["sample"]:
            click.echo(f"{line['at']} {line['raw']}")
        if each["failure"]:
            say(f"could not be asked: {each['failure']}")


@click.command("list-exceptions")
@json_option
@click.pass_context
def list_exceptions(ctx: click.Context, *, as_json: bool) -> None:
    """List exceptions with owner, reason, end and hits.

    Example: secops --as analyst detectors list-exceptions
    """
    from detectors.service.triage.triage_presentation import exception_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = [exception_json(each) for each in services.exceptions.list_exceptions(actor)]
    columns = ("state", "rule_id", "condition", "owner", "expires_at", "hits", "id")
    print_list("Exceptions", columns, found, as_json=as_json)


@click.command("request-exception")
@click.argument("condition")
@_wished
@click.pass_context
def request_exception(ctx: click.Context, /, condition: str, **wished: Any) -> None:
    """Ask that events which fit CONDITION (a Sigma detection as JSON) don't count for a rule.

    Example: secops --as analyst detectors request-exception '{"source.ip|cidr":"10.9.0.0/16"}'
    --rule 89ad56ed-710a-5102-9d5c-1d9bb7ac0b7e --owner ops --reason "our scanner" --days 30
    """
    from detectors.service.rules.exceptions import (  # noqa: PLC0415 - heavy
        ExceptionWish,
        read_condition,
    )

    services, actor = opened(ctx)
    wish = ExceptionWish(condition=read_condition(condition), **wished)
    found = services.exceptions.request_exception(actor, wish)
    say(f"requested {found.id}: it holds once somebody else approves it")


@click.command("decide-exception")
@click.argument("exception_id")
@click.option("--grant/--reject", required=True, help="Yes or no.")
@click.option("--reason", required=True, help="Why.")
@click.pass_context
def decide_exception(ctx: click.Context, exception_id: str, reason: str, *, grant: bool) -> None:
    """Approve or reject somebody else's request.

    Example: secops --as security-admin detectors decide-exception exc_… --grant --reason "seen"
    """
    services, actor = opened(ctx)
    found = services.exceptions.decide_exception(actor, exception_id, grant=grant, reason=reason)
    say(f"{found.state} {found.id}")


@click.command("revoke-exception")
@click.argument("exception_id")
@click.option("--reason", required=True, help="Why.")
@click.pass_context
def revoke_exception(ctx: click.Context, exception_id: str, reason: str) -> None:
    """End an exception at once.

    Example: secops --as analyst detectors revoke-exception exc_… --reason "scanner is gone"
    """
    services, actor = opened(ctx)
    found = services.exceptions.revoke_exception(actor, exception_id, reason)
    say(f"{found.state} {found.id}")


@click.command("list-suppressions")
@json_option
@click.pass_context
def list_suppressions(ctx: click.Context, *, as_json: bool) -> None:
    """List suppressions.

    Example: secops --as analyst detectors list-suppressions
    """
    from detectors.service.triage.triage_presentation import suppression_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = [suppression_json(each) for each in services.suppressions.list_suppressions(actor)]
    columns = ("state", "rule_id", "by", "window_seconds", "owner", "expires_at", "id")
    print_list("Suppressions", columns, found, as_json=as_json)


@click.command("show-suppression")
@click.argument("suppression_id")
@json_option
@click.pass_context
def show_suppression(ctx: click.Context, suppression_id: str, *, as_json: bool) -> None:
    """Show what a suppression keeps quiet: counts and samples.

    Example: secops --as analyst detectors show-suppression sup_…
    """
    from detectors.service.triage.triage_presentation import (  # noqa: PLC0415 - heavy
        group_json,
        suppression_json,
    )

    services, actor = opened(ctx)
    found, groups = services.suppressions.show_suppression(actor, suppression_id)
    shown = [group_json(each) for each in groups]
    if as_json:
        print_json({**suppression_json(found), "groups": shown})
        return
    columns = ("count", "group", "leader", "sample", "last_at")
    rows = [tuple(str(each[name]) for name in columns) for each in shown]
    print_table("Kept quiet", columns, rows)


@click.command("add-suppression")
@click.option("--by", multiple=True, required=True, help="A subject: source.ip, user.name…")
@click.option("--window", type=int, default=3600, show_default=True, help="Seconds.")
@_wished
@click.pass_context
def add_suppression(ctx: click.Context, /, by: tuple[str, ...], **wished: Any) -> None:
    """Keep alerts quiet that repeat one with equal subjects; lifting raises them.

    Example: secops --as analyst detectors add-suppression --by source.ip --window 86400
    --owner ops --reason "known scanner"
    """
    from detectors.service.triage.suppression import SuppressionWish  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = services.suppressions.add_suppression(actor, SuppressionWish(by=by, **wished))
    say(f"added {found.id}")


@click.command("lift-suppression")
@click.argument("suppression_id")
@click.option("--reason", required=True, help="Why.")
@click.pass_context
def lift_suppression(ctx: click.Context, suppression_id: str, reason: str) -> None:
    """End a suppression and raise every alert that it kept quiet.

    Example: secops --as analyst detectors lift-suppression sup_… --reason "not known after all"
    """
    services, actor = opened(ctx)
    raised = services.suppressions.lift_suppression(actor, suppression_id, reason)
    say(f"lifted {suppression_id}: {raised} alerts raised")


@click.command("list-entities")
@click.option("--risk", type=click.IntRange(1, 100), default=1, help="Only of at least this risk.")
@page_options
@json_option
@click.pass_context
def list_entities(
    ctx: click.Context, *, risk: int, limit: str, cursor: str | None, as_json: bool
) -> None:
    """List entities, the riskiest first.

    Example: secops --as analyst detectors list-entities --risk 70
    """
    from detectors.service.triage.triage_presentation import risk_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = services.entities.list_entities(actor, page_request(limit, cursor), risk)
    items = [risk_json(each) for each in found.items]
    columns = ("risk", "entity", "criticality", "at")
    print_list("Entities", columns, items, as_json=as_json, following=found.next)


@click.command("show-entity")
@click.argument("entity")
@json_option
@click.pass_context
def show_entity(ctx: click.Context, entity: str, *, as_json: bool) -> None:
    """Show an entity: its risk, how it came to it, its alerts.

    Example: secops --as analyst detectors show-entity account:root
    """
    from detectors.service.triage.triage_presentation import entity_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = entity_json(services.entities.show_entity(actor, entity))
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['entity']}: risk {found['risk']}, criticality {found['criticality']}")
    points = [(point["at"], point["risk"], point["reason"]) for point in found["history"]]
    print_table("History", ("at", "risk", "why"), points)
    for alert in found["alerts"]:
        click.echo(alert)


@click.command("set-criticality")
@click.argument("entity")
@click.argument("criticality", type=float)
@click.option("--reason", required=True, help="Why.")
@click.pass_context
def set_criticality(ctx: click.Context, entity: str, criticality: float, reason: str) -> None:
    """Say how much is at stake with an entity (0.5 to 4, usually 1).

    Example: secops --as security-admin detectors set-criticality account:root 2 --reason "all"
    """
    services, actor = opened(ctx)
    found = services.entities.set_criticality(actor, entity, criticality, reason)
    say(f"{found.subject}: criticality {found.criticality}, risk {found.risk}")


TRIAGE_COMMANDS = (
    show_rule,
    report_rules,
    forecast,
    list_exceptions,
    request_exception,
    decide_exception,
    revoke_exception,
    list_suppressions,
    show_suppression,
    add_suppression,
    lift_suppression,
    list_entities,
    show_entity,
    set_criticality,
)
