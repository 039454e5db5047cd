"""The queue on the command line: counts, groups, handling, saved views, deadlines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from detectors.commands.opened import opened
from detectors.models.queue import ENTITY_KINDS, GROUP_KEYS, ORDERS
from detectors.models.rules import SEVERITIES, Severity
from secops.kernel.clock import MINUTE
from secops.kernel.pages import page_request
from secops.terminal.output import Command, json_option, page_options, print_json, print_table, say

if TYPE_CHECKING:
    from detectors.models.alerts import AlertFilter

_YES_NO = ("yes", "no")
_OPTIONS = (
    click.option("--severity", type=click.Choice(SEVERITIES)),
    click.option("--since", metavar="TIME", help="Alerts with events from this time on."),
    click.option("--rule", help="A rule's id."),
    click.option("--subject", help="An entity, e.g. account:ann."),
    click.option("--assignee", help="An account's id, me, or none for nobody's."),
    click.option("--kind", type=click.Choice(ENTITY_KINDS), help="What they are about."),
    click.option("--acknowledged", type=click.Choice(_YES_NO)),
    click.option("--overdue", type=click.Choice(("yes",)), help="Past their next deadline."),
)


def filter_options(command: Command) -> Command:
    """Add the options that narrow the queue."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked_filter(said: Mapping[str, str | None]) -> AlertFilter:
    """Return the filter that the options say; raise ``Invalid``."""
    from detectors.service.triage.filters import read_filter  # noqa: PLC0415 - heavy

    return read_filter({name: value for name, value in said.items() if value is not None})


@click.command("count-alerts")
@click.option("--status", default="open", show_default=True)
@filter_options
@json_option
@click.pass_context
def count_alerts(ctx: click.Context, /, *, as_json: bool, **said: str | None) -> None:
    """Count the alerts that fit, and those with another value of each facet.

    Example: secops --as analyst detectors count-alerts --severity high --json
    """
    from detectors.service.triage.queue_presentation import counts_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    document = counts_json(services.queue.count_alerts(actor, asked_filter(said)))
    if as_json:
        print_json(document)
        return
    rows = [
        (facet, value or "-", count)
        for facet, values in document["facets"].items()
        for value, count in values.items()
    ]
    print_table("Counts", ("facet", "value", "alerts"), rows)
    least = " or more" if document["least"] else ""
    say(f"{document['total']}{least} alerts, {document['overdue']} overdue")


@click.command("group-alerts")
@click.option("--by", type=click.Choice(GROUP_KEYS), default="rule", show_default=True)
@click.option("--status", default="open", show_default=True)
@filter_options
@page_options
@json_option
@click.pass_context
def group_alerts(
    ctx: click.Context,
    /,
    *,
    by: Any,
    limit: str,
    cursor: str | None,
    as_json: bool,
    **said: str | None,
) -> None:
    """Group the alerts that fit by rule or by entity, the largest group first.

    Example: secops --as analyst detectors group-alerts --by entity --severity critical
    """
    from detectors.service.triage.queue_presentation import (  # noqa: PLC0415 - heavy
        alert_group_json,
    )

    services, actor = opened(ctx)
    page = services.queue.group_alerts(actor, asked_filter(said), by, page_request(limit, cursor))
    items = [alert_group_json(each) for each in page.items]
    if as_json:
        print_json({"items": items, "next": page.next})
        return
    rows = [(each["severity"], each["count"], each["newest_at"], each["key"]) for each in items]
    print_table("Groups", ("worst", "alerts", "newest", by), rows)
    if page.next:
        say(f"more: --cursor {page.next}")


@click.command("watch-alerts")
@click.option("--revision", required=True, type=click.IntRange(0), help="As count-alerts said.")
@click.option("--status", default="open", show_default=True)
@filter_options
@json_option
@click.pass_context
def watch_alerts(
    ctx: click.Context, /, *, revision: int, as_json: bool, **said: str | None
) -> None:
    """Count the alerts that fit, and those that came or changed since a revision.

    Example: secops --as analyst detectors watch-alerts --revision 4711 --json
    """
    from detectors.service.triage.queue_presentation import news_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    news = services.queue.watch_alerts(actor, asked_filter(said), revision)
    if as_json:
        print_json(news_json(news))
        return
    click.echo(f"{news.total}{'+' if news.least else ''} alerts, {news.changed} new or changed")


@click.command("acknowledge-alert")
@click.argument("alert_id")
@click.pass_context
def acknowledge_alert(ctx: click.Context, alert_id: str) -> None:
    """Say that an alert was seen and is looked at.

    Example: secops --as analyst detectors acknowledge-alert alr_1f0c…
    """
    services, actor = opened(ctx)
    say(f"acknowledged {services.handling.acknowledge_alert(actor, alert_id).id}")


@click.command("take-alert")
@click.argument("alert_id")
@click.pass_context
def take_alert(ctx: click.Context, alert_id: str) -> None:
    """Acknowledge an alert and have it oneself.

    Example: secops --as analyst detectors take-alert alr_1f0c…
    """
    services, actor = opened(ctx)
    say(f"you have {services.handling.take_alert(actor, alert_id).id}")


@click.command("assign-alert")
@click.argument("alert_id")
@click.option("--to", "assignee", required=True, help="A name, an id, me; empty: nobody.")
@click.option("--version", type=click.IntRange(1), help="Only if it is still at this version.")
@click.pass_context
def assign_alert(ctx: click.Context, alert_id: str, assignee: str, version: int | None) -> None:
    """Give an alert to a colleague.

    Example: secops --as analyst detectors assign-alert alr_1f0c… --to analyst
    """
    services, actor = opened(ctx)
    alert = services.handling.assign_alert(actor, alert_id, assignee, version)
    say(f"{alert.id}: {alert.assignee or 'nobody'}")


@click.command("save-alert-view")
@click.argument("name")
@click.option("--status", default="open", show_default=True)
@filter_options
@click.option("--sort", type=click.Choice(ORDERS), default="newest", show_default=True)
@click.option("--group", type=click.Choice(GROUP_KEYS))
@click.pass_context
def save_alert_view(
    ctx: click.Context, /, *, name: str, sort: Any, group: Any, **said: str | None
) -> None:
    """Keep a filter of the queue under a name, one's own.

    Example: secops --as analyst detectors save-alert-view mine --assignee me --sort due
    """
    services, actor = opened(ctx)
    view = services.alert_views.save_alert_view(
        actor, name, asked_filter(said), order=sort, group=group
    )
    say(f"saved {view.id}")


@click.command("list-alert-views")
@json_option
@click.pass_context
def list_alert_views(ctx: click.Context, *, as_json: bool) -> None:
    """List one's own views of the queue.

    Example: secops --as analyst detectors list-alert-views
    """
    from detectors.service.triage.queue_presentation import view_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    items = [view_json(each) for each in services.alert_views.list_alert_views(actor)]
    if as_json:
        print_json({"items": items, "next": None})
        return
    rows = [
        (each["name"], " ".join(f"{k}={v}" for k, v in each["query"].items()), each["id"])
        for each in items
    ]
    print_table("Views", ("name", "filter", "id"), rows)


@click.command("forget-alert-view")
@click.argument("view_id")
@click.pass_context
def forget_alert_view(ctx: click.Context, view_id: str) -> None:
    """Drop one of one's own views.

    Example: secops --as analyst detectors forget-alert-view view_1f0c…
    """
    services, actor = opened(ctx)
    services.alert_views.forget_alert_view(actor, view_id)
    say(f"forgot {view_id}")


@click.command("list-alert-deadlines")
@json_option
@click.pass_context
def list_alert_deadlines(ctx: click.Context, *, as_json: bool) -> None:
    """List how soon alerts are to be acknowledged and closed.

    Example: secops --as analyst detectors list-alert-deadlines
    """
    from detectors.service.triage.queue_presentation import deadlines_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = services.alert_deadlines.list_alert_deadlines(actor)
    if as_json:
        print_json({"items": deadlines_json(found), "next": None})
        return
    rows = [
        (severity, found[severity].acknowledge // MINUTE, found[severity].resolve // MINUTE)
        for severity in reversed(SEVERITIES)
    ]
    print_table("Deadlines", ("severity", "acknowledge, min", "close, min"), rows)


@click.command("set-alert-deadline")
@click.argument("severity", type=click.Choice(SEVERITIES))
@click.option("--acknowledge-minutes", required=True, type=click.IntRange(1))
@click.option("--resolve-minutes", required=True, type=click.IntRange(1))
@click.option("--reason", required=True, help="Why.")
@click.pass_context
def set_alert_deadline(
    ctx: click.Context,
    *,
    severity: Severity,
    acknowledge_minutes: int,
    resolve_minutes: int,
    reason: str,
) -> None:
    """Decide how soon alerts of a severity are handled (security administrators).

    Example: secops --as security-admin detectors set-alert-deadline high
    --acknowledge-minutes 20 --resolve-minutes 240 --reason "service level of 2026"
    """
    services, actor = opened(ctx)
    minutes = (acknowledge_minutes, resolve_minutes)
    services.alert_deadlines.set_alert_deadline(actor, severity, minutes, reason)
    say(f"{severity}: {acknowledge_minutes} min, {resolve_minutes} min")


COMMANDS = (
    count_alerts,
    group_alerts,
    watch_alerts,
    acknowledge_alert,
    take_alert,
    assign_alert,
    save_alert_view,
    list_alert_views,
    forget_alert_view,
    list_alert_deadlines,
    set_alert_deadline,
)
