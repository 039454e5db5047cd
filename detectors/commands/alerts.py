"""Runs, triage and rules on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from detectors.commands.files import rule_files
from detectors.commands.instants import instant
from detectors.commands.opened import opened
from detectors.commands.queue import asked_filter, filter_options
from detectors.commands.workers import ForkedWorkers, cores
from detectors.models.queue import ORDERS
from secops.kernel.logs import Window
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_table, say
from secops.terminal.session import session_of

_PATHS = click.Path(path_type=Path, exists=True)


@click.command("run")
@click.option("--since", metavar="TIME", help="Alerts of events from this time on (RFC 3339).")
@click.option("--until", metavar="TIME", help="Alerts of events before this time (RFC 3339).")
@click.option("--rules", "folders", type=_PATHS, multiple=True, help="Other rules than installed.")
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    since: str | None,
    until: str | None,
    folders: tuple[Path, ...],
    *,
    as_json: bool,
) -> None:
    """Evaluate the rules over what is stored.

    Example: secops --as analyst detectors run --json
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.triage.presentation import run_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    services = session.services(DetectorsServices)
    window = Window(instant(since, "--since"), instant(until, "--until"))
    files = rule_files(folders) if folders else None
    workers = ForkedWorkers(cores())
    result = services.runs.run_detectors(session.actor, window, files, workers=workers)
    if as_json:
        print_json(run_json(result))
        return
    rows = [(a.severity, a.title, a.event_count, _about(a.subjects), a.id) for a in result.alerts]
    print_table("Alerts", ("severity", "rule", "events", "about", "id"), rows)
    say(f"rules {result.rules} events {result.events} alerts {len(result.alerts)} new {result.new}")


@click.command("list-alerts")
@click.option(
    "--status", type=click.Choice(["open", "closed", "superseded", "revised", "suppressed"])
)
@filter_options
@click.option("--sort", type=click.Choice(ORDERS), default="newest", show_default=True)
@page_options
@json_option
@click.pass_context
def list_alerts(
    ctx: click.Context,
    /,
    *,
    sort: Any,
    limit: str,
    cursor: str | None,
    as_json: bool,
    **said: str | None,
) -> None:
    """List alerts, newest event first; open ones also by severity, or by what is due.

    Example: secops --as analyst detectors list-alerts --status open --severity high
    """
    from detectors.service.triage.presentation import alert_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    asked = page_request(limit, cursor)
    page = services.alerts.list_alerts(actor, asked_filter(said), asked, order=sort)
    if as_json:
        print_json({"items": [alert_json(alert) for alert in page.items], "next": page.next})
        return
    rows = [
        (a.severity, a.status, a.title, a.event_count, _about(a.subjects), a.id) for a in page.items
    ]
    print_table("Alerts", ("severity", "status", "rule", "events", "about", "id"), rows)
    if page.next:
        say(f"more: --cursor {page.next}")


@click.command("close-alert")
@click.argument("alert_id")
@click.option("--reason", required=True, help="What was found out.")
@click.pass_context
def close_alert(ctx: click.Context, alert_id: str, reason: str) -> None:
    """Close an open alert.

    Example: secops --as analyst detectors close-alert alr_1f0c… --reason "planned test"
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    alert = session.services(DetectorsServices).alerts.close_alert(session.actor, alert_id, reason)
    say(f"closed {alert.id}")


@click.command("list-unscanned")
@json_option
@click.pass_context
def list_unscanned(ctx: click.Context, *, as_json: bool) -> None:
    """List what enabled rules have not seen yet, and which of them can't see what they are for.

    Example: secops --as analyst detectors list-unscanned --json
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.triage.presentation import unscanned_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    waiting = session.services(DetectorsServices).reports.list_unscanned(session.actor)
    if as_json:
        print_json({"items": [unscanned_json(each) for each in waiting], "next": None})
        return
    rows = [(e.title, e.first_seq, e.last_seq, " ".join(e.problems)) for e in waiting]
    print_table("Not seen yet", ("rule", "from", "to", "problems"), rows)


@click.command("list-rules")
@json_option
@click.pass_context
def list_rules(ctx: click.Context, *, as_json: bool) -> None:
    """List the rules of this instance, and which are on.

    Example: secops --as security-admin detectors list-rules
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.triage.presentation import rule_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    services = session.services(DetectorsServices)
    rules = services.rules.list_rules(session.actor)
    for problem in services.rules.list_problems(session.actor):
        say(f"not running: {problem}")
    if as_json:
        print_json({"items": [rule_json(rule) for rule in rules], "next": None})
        return
    rows = [
        ("on" if r.enabled else "off", r.header.severity, r.header.title, r.header.id)
        for r in rules
    ]
    print_table("Rules", ("", "severity", "rule", "id"), rows)


@click.command("enable-rule")
@click.argument("rule_id")
@click.option("--reason", default="", help="Why.")
@click.pass_context
def enable_rule(ctx: click.Context, rule_id: str, reason: str) -> None:
    """Let a rule run, over all that is stored (security administrators).

    Example: secops --as security-admin detectors enable-rule 6f0b…
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    rule = session.services(DetectorsServices).rules.enable_rule(session.actor, rule_id, reason)
    say(f"enabled {rule.header.title}")


@click.command("disable-rule")
@click.argument("rule_id")
@click.option("--reason", required=True, help="Why: it blinds this instance to something.")
@click.pass_context
def disable_rule(ctx: click.Context, rule_id: str, reason: str) -> None:
    """Stop a rule (security administrators).

    Example: secops --as security-admin detectors disable-rule 6f0b… --reason "noisy"
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    rule = session.services(DetectorsServices).rules.disable_rule(session.actor, rule_id, reason)
    say(f"disabled {rule.header.title}")


def _about(subjects: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in subjects.items())


COMMANDS = (
    run,
    list_alerts,
    close_alert,
    list_unscanned,
    list_rules,
    enable_rule,
    disable_rule,
)
