"""One alert on the command line: told whole, asked again, and what an exception would hide."""

from __future__ import annotations

from typing import Any

import click

from detectors.commands.opened import opened
from secops.terminal.output import json_option, plain, print_json, print_table, say


@click.command("show-alert")
@click.argument("alert_id")
@json_option
@click.pass_context
def show_alert(ctx: click.Context, alert_id: str, *, as_json: bool) -> None:
    """Show one alert: why it was raised, its lines, and how like ones were closed.

    Example: secops --as analyst detectors show-alert alr_1f0c…
    """
    from detectors.models.alerts import AlertFilter  # noqa: PLC0415 - quick --help
    from detectors.service.triage.alert_page_presentation import explanation_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = services.alert_pages.explain_alert(actor, alert_id, AlertFilter(status="open"))
    document = explanation_json(found)
    if as_json:
        print_json(document)
        return
    _tell(document)


@click.command("replay-alert")
@click.argument("alert_id")
@json_option
@click.pass_context
def replay_alert(ctx: click.Context, alert_id: str, *, as_json: bool) -> None:
    """Ask today's rule again about an alert's own events; no alert is raised.

    Example: secops --as analyst detectors replay-alert alr_1f0c…
    """
    from detectors.service.triage.alert_page_presentation import replay_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    found = services.replays.replay_alert(actor, alert_id)
    if as_json:
        print_json(replay_json(found))
        return
    click.echo(f"{found.answer}: {plain(found.why.en)} ({found.hits} of {found.events} events)")


@click.command("preview-exception")
@click.argument("rule_id")
@click.argument("condition")
@json_option
@click.pass_context
def preview_exception(ctx: click.Context, rule_id: str, condition: str, *, as_json: bool) -> None:
    """Say which of a rule's alerts of 30 days an exception would have hidden.

    CONDITION is a Sigma detection as JSON. Nothing is asked for: that is request-exception.

    Example: secops --as analyst detectors preview-exception 89ad56ed-710a-5102-9d5c-1d9bb7ac0b7e
    '{"source.ip|cidr":"10.9.0.0/16"}'
    """
    from detectors.service.rules.exceptions import read_condition  # noqa: PLC0415 - heavy
    from detectors.service.triage.alert_page_presentation import preview_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    wanted = read_condition(condition)
    found = services.exception_previews.preview_exception(actor, rule_id, wanted)
    document = preview_json(found)
    if as_json:
        print_json(document)
        return
    click.echo(
        f"{found.hidden_whole} of {found.alerts} alerts would not have been raised, "
        f"{found.hidden_partly} with fewer events; {found.hidden_events} of {found.events} events"
    )
    rows = [(e["title"], f"{e['hidden']}/{e['events']}", e["alert_id"]) for e in document["hidden"]]
    print_table("Hidden", ("alert", "events", "id"), rows)
    if found.cut:
        say("a limit ended it: there are more alerts than were looked at")


def _tell(alert: dict[str, Any]) -> None:
    subjects = " ".join(f"{name}={value}" for name, value in alert["subjects"].items())
    click.echo(plain(alert["title"]))
    click.echo(plain(f"{alert['severity']} · {alert['status']} · {subjects}"))
    click.echo(plain(alert["sentence"]["en"]))
    why = [tuple(each[name]["en"] for name in _WHY) for each in alert["why"]]
    print_table("Why", _WHY, why)
    for line in alert["lines"]:
        click.echo(plain(f"{line['at']} {line['source']} #{line['seq']} {line['raw']}"))
        click.echo(f"  sha256 {line['sha256']} sm3 {line['sm3']}")
    rule = alert["rule"]
    if rule is not None:
        failures = "; ".join(rule["sample_failures"]) or "all pass"
        click.echo(plain(f"rule {rule['rule_id']}: {rule['samples']} samples, {failures}"))
    for name, closings in alert["closings"].items():
        rows = [(each["reason"], each["alerts"]) for each in closings["reasons"]]
        print_table(f"Closed ({name.replace('_', ' ')})", ("reason", "alerts"), rows)
    cards = [
        (e["kind"], e["name"], e["state"]["en"], "" if e["risk"] is None else e["risk"])
        for e in alert["entities"]
    ]
    print_table("About", ("kind", "name", "state", "risk"), cards)
    if alert["incident"]:
        say(f"incident {alert['incident']['id']}")
    if alert["bulk_action"]:
        say(f"closed by bulk action {alert['bulk_action']}")


_WHY = ("condition", "expected", "seen")
COMMANDS = (show_alert, replay_alert, preview_exception)
