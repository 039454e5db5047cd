"""``secops playbooks``: notification channels, messages outside, subscriptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from playbooks.commands.group import group
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_list
from secops.terminal.session import session_of

_CHANNEL_COLUMNS = ("id", "name", "kind", "hint", "enabled", "version")
_MESSAGE_COLUMNS = ("id", "created_at", "event", "title", "state", "tries", "trouble")


@group.command("list-channels")
@json_option
@click.pass_context
def list_channels(ctx: click.Context, *, as_json: bool) -> None:
    """List the organisation's notification channels; their addresses are not shown.

    Example: secops playbooks list-channels
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.notifications.documents import channel_document  # noqa: PLC0415

    session = session_of(ctx)
    found = session.services(PlaybooksServices).notifications.channels.list_channels(session.actor)
    records = [channel_document(one) for one in found]
    print_list("通知渠道 Channels", _CHANNEL_COLUMNS, records, as_json=as_json)


def _read(path: str | None) -> str:
    return "" if path is None else Path(path).read_text(encoding="utf-8").strip()


def _draft(chosen: dict[str, Any]) -> Any:
    from playbooks.models.notifications import ChannelDraft  # noqa: PLC0415 - quick --help

    return ChannelDraft(
        name=chosen["name"],
        kind=chosen["kind"],
        url=_read(chosen["url_file"]),
        secret=_read(chosen["secret_file"]),
        to=chosen["to"],
        language=chosen["language"],
    )


_KIND = click.Choice(["smtp", "generic", "wecom", "dingtalk", "feishu"])
_FILE = click.Path(exists=True, dir_okay=False)


def _channel_options(command: Any) -> Any:
    for option in (
        click.option("--kind", type=_KIND, required=True),
        click.option("--url-file", type=_FILE, default=None, help="A file with the https address."),
        click.option("--secret-file", type=_FILE, default=None, help="A file with the secret."),
        click.option("--to", multiple=True, metavar="ADDRESS", help="A mail's recipient."),
        click.option("--language", type=click.Choice(["zh", "en"]), default="zh"),
    ):
        command = option(command)
    return command


@group.command("create-channel")
@click.argument("name")
@_channel_options
@json_option
@click.pass_context
def create_channel(ctx: click.Context, /, **chosen: Any) -> None:
    """Add a notification channel.

    Address and secret come from files: the list of processes shows arguments to everybody.

    Example: secops --as system-admin playbooks create-channel soc --kind wecom --url-file robot.url
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.notifications.documents import channel_document  # noqa: PLC0415

    session = session_of(ctx)
    channels = session.services(PlaybooksServices).notifications.channels
    document = channel_document(channels.create_channel(session.actor, _draft(chosen)))
    if chosen["as_json"]:
        print_json(document)
    else:
        click.echo(f"{document['id']} {document['name']}")


@group.command("change-channel")
@click.argument("channel_id")
@click.option("--name", required=True)
@_channel_options
@click.option("--version", type=int, required=True, help="The version that was seen.")
@json_option
@click.pass_context
def change_channel(ctx: click.Context, /, channel_id: str, **chosen: Any) -> None:
    """Replace a channel's name, address, secret and recipients; its kind stays.

    Example: secops --as system-admin playbooks change-channel chn_01k9 --name soc --kind smtp
    --to soc@example.gov.cn --version 1
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.notifications.documents import channel_document  # noqa: PLC0415

    session = session_of(ctx)
    channels = session.services(PlaybooksServices).notifications.channels
    changed = channels.change_channel(
        session.actor, channel_id, _draft(chosen), version=chosen["version"]
    )
    document = channel_document(changed)
    if chosen["as_json"]:
        print_json(document)
    else:
        click.echo(f"{document['id']} {document['version']}")


@group.command("switch-channel")
@click.argument("channel_id")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--version", type=int, required=True, help="The version that was seen.")
@click.pass_context
def switch_channel(ctx: click.Context, channel_id: str, state: str, version: int) -> None:
    """Switch a channel on or off.

    Example: secops --as system-admin playbooks switch-channel chn_01k9 off --version 1
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    changed = session.services(PlaybooksServices).notifications.channels.switch_channel(
        session.actor, channel_id, enabled=state == "on", version=version
    )
    click.echo(f"{changed.id} {state} {changed.version}")


@group.command("test-channel")
@click.argument("channel_id")
@click.pass_context
def test_channel(ctx: click.Context, channel_id: str) -> None:
    """Send a test message; list-messages shows what came of it.

    Example: secops --as system-admin playbooks test-channel chn_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    message = session.services(PlaybooksServices).notifications.channels.test_channel(
        session.actor, channel_id
    )
    click.echo(f"{message.id} {message.state}")


@group.command("list-messages")
@click.option("--state", default=None, help="stuck, queued, sent, unknown, dead, dropped…")
@page_options
@json_option
@click.pass_context
def list_messages(ctx: click.Context, /, **chosen: Any) -> None:
    """List messages to people outside, newest first; --state stuck are the dead letters.

    Example: secops playbooks list-messages --state stuck
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.notifications.documents import message_document  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(PlaybooksServices).notifications.messages.list_messages(
        session.actor, chosen["state"], page_request(chosen["limit"], chosen["cursor"])
    )
    records = [message_document(one) for one in page.items]
    print_list(
        "外发消息 Messages",
        _MESSAGE_COLUMNS,
        records,
        as_json=chosen["as_json"],
        following=page.next,
    )


@group.command("resend-message")
@click.argument("message_id")
@click.option("--reason", required=True)
@click.pass_context
def resend_message(ctx: click.Context, message_id: str, reason: str) -> None:
    """Let a dead letter, or one of unknown outcome, leave once more.

    Example: secops playbooks resend-message out_01k9 --reason "address corrected"
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    found = session.services(PlaybooksServices).notifications.messages.resend_message(
        session.actor, message_id, reason=reason
    )
    click.echo(f"{found.id} {found.state}")


@group.command("drop-message")
@click.argument("message_id")
@click.option("--reason", required=True)
@click.pass_context
def drop_message(ctx: click.Context, message_id: str, reason: str) -> None:
    """Give up a dead letter, or one of unknown outcome.

    Example: secops playbooks drop-message out_01k9 --reason "told by telephone"
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    found = session.services(PlaybooksServices).notifications.messages.drop_message(
        session.actor, message_id, reason=reason
    )
    click.echo(f"{found.id} {found.state}")


@group.command("list-subscriptions")
@json_option
@click.pass_context
def list_subscriptions(ctx: click.Context, *, as_json: bool) -> None:
    """List who is told of which events.

    Example: secops playbooks list-subscriptions
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.notifications.documents import subscription_document  # noqa: PLC0415

    session = session_of(ctx)
    kept = session.services(PlaybooksServices).notifications.subscriptions
    records = [subscription_document(one) for one in kept.list_subscriptions(session.actor)]
    columns = ("id", "event", "min_severity", "target", "quiet")
    print_list("通知订阅 Subscriptions", columns, records, as_json=as_json)


@group.command("subscribe")
@click.argument("event")
@click.argument("target", metavar="channel:ID|roster:ID")
@click.option("--severity", default="high", show_default=True, help="The least that is told.")
@click.option("--quiet", default="", metavar="HH:MM-HH:MM", help="Held back, unless critical.")
@click.pass_context
def subscribe(ctx: click.Context, event: str, target: str, severity: str, quiet: str) -> None:
    """Tell a channel or the people on duty of events from now on.

    Events: alert, incident, clock, approval, run_unknown, source_silent.

    Example: secops --as security-admin playbooks subscribe alert roster:ros_01k9 --severity high
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.notifications import NewSubscription  # noqa: PLC0415
    from playbooks.service.notifications.documents import quiet_hours  # noqa: PLC0415

    session = session_of(ctx)
    new = NewSubscription(event, target, severity, *quiet_hours(quiet))
    made = session.services(PlaybooksServices).notifications.subscriptions.subscribe(
        session.actor, new
    )
    click.echo(f"{made.id} {made.event}")


@group.command("unsubscribe")
@click.argument("subscription_id")
@click.pass_context
def unsubscribe(ctx: click.Context, subscription_id: str) -> None:
    """Tell no more.

    Example: secops --as security-admin playbooks unsubscribe sub_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    kept = session.services(PlaybooksServices).notifications.subscriptions
    kept.unsubscribe(session.actor, subscription_id)
    click.echo(subscription_id)
