"""Bulk actions on the command line: the preview first, then its token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from detectors.commands.opened import opened
from detectors.commands.queue import asked_filter, filter_options
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_table, say

if TYPE_CHECKING:
    from detectors.models.alerts import AlertFilter
    from detectors.models.bulk_actions import BulkAction
    from detectors.service import DetectorsServices
    from secops.kernel.actors import Actor


def _show(action: BulkAction, *, as_json: bool) -> None:
    from detectors.service.triage.bulk_presentation import bulk_action_json  # noqa: PLC0415 - heavy

    if as_json:
        print_json(bulk_action_json(action))
        return
    left = action.place - action.written
    click.echo(
        f"{action.id} {action.verb} {action.state}: {action.place} of {action.count}, "
        f"written {action.written}, changed since {left}"
    )


def _show_preview(action: BulkAction, what: str, *, as_json: bool) -> None:
    from detectors.service.triage.bulk_presentation import bulk_action_json  # noqa: PLC0415 - heavy

    document = bulk_action_json(action)
    if as_json:
        print_json(document)
        return
    click.echo(f"{action.count} open alerts would be {what}")
    say(f"to do it: order-bulk-action {action.id} --token {document['token']}")


def _open_ones(said: Mapping[str, str | None]) -> AlertFilter:
    return asked_filter({**said, "status": "open"})


@click.command("preview-bulk-close")
@click.option("--reason", required=True, help="What was found out.")
@filter_options
@json_option
@click.pass_context
def preview_bulk_close(
    ctx: click.Context, /, *, reason: str, as_json: bool, **said: str | None
) -> None:
    """Count the open alerts that fit; nothing is closed before order-bulk-action.

    Example: secops --as analyst detectors preview-bulk-close --rule 6f0b… --reason "planned test"
    """
    services, actor = opened(ctx)
    action = services.bulk_actions.preview_bulk_close(actor, _open_ones(said), reason)
    _show_preview(action, "closed", as_json=as_json)


@click.command("preview-bulk-acknowledge")
@filter_options
@json_option
@click.pass_context
def preview_bulk_acknowledge(ctx: click.Context, /, *, as_json: bool, **said: str | None) -> None:
    """Count the open alerts that nobody took up and that fit; order-bulk-action does it.

    Example: secops --as analyst detectors preview-bulk-acknowledge --severity low
    """
    services, actor = opened(ctx)
    action = services.bulk_actions.preview_bulk_acknowledge(actor, _open_ones(said))
    _show_preview(action, "acknowledged", as_json=as_json)


@click.command("preview-bulk-assign")
@click.option("--to", "to", required=True, help="A name, an id, me; empty: nobody.")
@filter_options
@json_option
@click.pass_context
def preview_bulk_assign(
    ctx: click.Context, /, *, to: str, as_json: bool, **said: str | None
) -> None:
    """Count the open alerts that somebody would get; order-bulk-action does it.

    Example: secops --as analyst detectors preview-bulk-assign --to me --severity critical
    """
    services, actor = opened(ctx)
    action = services.bulk_actions.preview_bulk_assign(actor, _open_ones(said), to)
    _show_preview(action, "assigned", as_json=as_json)


@click.command("preview-bulk-undo")
@click.argument("action_id")
@json_option
@click.pass_context
def preview_bulk_undo(ctx: click.Context, action_id: str, *, as_json: bool) -> None:
    """Count the alerts of a bulk action that nobody wrote since, however long ago it was.

    Example: secops --as analyst detectors preview-bulk-undo bulk_1f0c…
    """
    services, actor = opened(ctx)
    action = services.bulk_actions.preview_bulk_undo(actor, action_id)
    _show_preview(action, "given back what they said", as_json=as_json)


@click.command("order-bulk-action")
@click.argument("action_id")
@click.option("--token", required=True, help="As the preview said it.")
@json_option
@click.pass_context
def order_bulk_action(ctx: click.Context, action_id: str, token: str, *, as_json: bool) -> None:
    """Carry out a preview; later arrivals are left out, and all can be undone for 10 minutes.

    Example: secops --as analyst detectors order-bulk-action bulk_1f0c… --token 5c3a…
    """
    services, actor = opened(ctx)
    action = services.bulk_actions.order_bulk_action(actor, action_id, token)
    _show(_carried_out(services, actor, action), as_json=as_json)


@click.command("undo-bulk-action")
@click.argument("action_id")
@json_option
@click.pass_context
def undo_bulk_action(ctx: click.Context, action_id: str, *, as_json: bool) -> None:
    """Give its alerts back what they said; those that changed since are left and listed.

    Example: secops --as analyst detectors undo-bulk-action bulk_1f0c…
    """
    services, actor = opened(ctx)
    undo = services.bulk_actions.undo_bulk_action(actor, action_id)
    _show(_carried_out(services, actor, undo), as_json=as_json)


@click.command("cancel-bulk-action")
@click.argument("action_id")
@json_option
@click.pass_context
def cancel_bulk_action(ctx: click.Context, action_id: str, *, as_json: bool) -> None:
    """Write no further alert; what was written stays and can be undone.

    Example: secops --as analyst detectors cancel-bulk-action bulk_1f0c…
    """
    services, actor = opened(ctx)
    _show(services.bulk_actions.cancel_bulk_action(actor, action_id), as_json=as_json)


@click.command("show-bulk-action")
@click.argument("action_id")
@json_option
@click.pass_context
def show_bulk_action(ctx: click.Context, action_id: str, *, as_json: bool) -> None:
    """Show how far a bulk action is.

    Example: secops --as analyst detectors show-bulk-action bulk_1f0c… --json
    """
    services, actor = opened(ctx)
    _show(services.bulk_actions.show_bulk_action(actor, action_id), as_json=as_json)


@click.command("list-bulk-actions")
@page_options
@json_option
@click.pass_context
def list_bulk_actions(ctx: click.Context, *, limit: str, cursor: str | None, as_json: bool) -> None:
    """List bulk actions, the newest first.

    Example: secops --as analyst detectors list-bulk-actions
    """
    from detectors.service.triage.bulk_presentation import bulk_action_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    page = services.bulk_actions.list_bulk_actions(actor, page_request(limit, cursor))
    if as_json:
        print_json({"items": [bulk_action_json(each) for each in page.items], "next": page.next})
        return
    rows = [(each.state, each.verb, each.written, each.count, each.id) for each in page.items]
    print_table("Bulk actions", ("state", "verb", "written", "of", "id"), rows)
    if page.next:
        say(f"more: --cursor {page.next}")


@click.command("list-bulk-items")
@click.argument("action_id")
@click.option("--result", type=click.Choice(["done", "changed"]), help="Only these.")
@page_options
@json_option
@click.pass_context
def list_bulk_items(  # noqa: PLR0913 - one parameter per option
    ctx: click.Context,
    action_id: str,
    *,
    result: Any,
    limit: str,
    cursor: str | None,
    as_json: bool,
) -> None:
    """List the alerts of a bulk action: done, or left since somebody changed them.

    Example: secops --as analyst detectors list-bulk-items bulk_1f0c… --result changed
    """
    from detectors.service.triage.bulk_presentation import bulk_item_json  # noqa: PLC0415 - heavy

    services, actor = opened(ctx)
    wanted = page_request(limit, cursor)
    page = services.bulk_actions.list_bulk_items(actor, action_id, result, wanted)
    if as_json:
        print_json({"items": [bulk_item_json(each) for each in page.items], "next": page.next})
        return
    rows = [(each.place, each.result, each.version, each.alert_id) for each in page.items]
    print_table("Alerts", ("place", "result", "version", "alert"), rows)
    if page.next:
        say(f"more: --cursor {page.next}")


def _carried_out(services: DetectorsServices, actor: Actor, action: BulkAction) -> BulkAction:
    """Work until it is done: there may be no service that runs; with one, both take turns."""
    from detectors.models.bulk_actions import RUNNING  # noqa: PLC0415 - heavy

    while action.state in RUNNING and services.bulk_runner.tick():
        action = services.bulk_actions.show_bulk_action(actor, action.id)
    return action


COMMANDS = (
    preview_bulk_close,
    preview_bulk_acknowledge,
    preview_bulk_assign,
    preview_bulk_undo,
    order_bulk_action,
    undo_bulk_action,
    cancel_bulk_action,
    show_bulk_action,
    list_bulk_actions,
    list_bulk_items,
)
