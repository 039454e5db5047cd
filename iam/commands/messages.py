"""``add-message-address``, ``remove-message-address``: where codes and notices go."""

from __future__ import annotations

from typing import Final

import click

from iam.models.messages import CHANNELS, NewAddress
from iam.service import IamServices
from secops.kernel.clock import rfc3339_or_none
from secops.terminal.output import json_option, print_list, say
from secops.terminal.session import session_of

_LOCAL: Final = "local"


@click.command("list-message-addresses")
@json_option
@click.pass_context
def list_message_addresses(ctx: click.Context, *, as_json: bool) -> None:
    """List your own number and mail address, masked.

    Example: secops iam list-message-addresses
    """
    session = session_of(ctx)
    held = session.services(IamServices).message_addresses.list_addresses(session.actor)
    records = [
        {"channel": each.channel, "address": each.masked, "since": rfc3339_or_none(each.since)}
        for each in held
    ]
    columns = ("channel", "address", "since")
    print_list("Message addresses", columns, records, as_json=as_json)


@click.command("add-message-address")
@click.argument("channel", type=click.Choice(CHANNELS))
@click.pass_context
def add_message_address(ctx: click.Context, channel: str) -> None:
    """Confirm a number (sms) or mail address (mail) by a code; both are asked for.

    Neither is an argument: other users of the machine see those.

    Example: secops iam add-message-address sms
    """
    session = session_of(ctx)
    addresses = session.services(IamServices).message_addresses
    given = click.prompt("number" if channel == "sms" else "mail address", err=True)
    asked = addresses.ask_address(session.actor, NewAddress(channel, given, _LOCAL, "zh"))
    code = click.prompt(f"code sent to {asked.masked}", err=True)
    addresses.confirm_address(session.actor, asked.reference, code.strip(), _LOCAL)
    say("confirmed")


@click.command("remove-message-address")
@click.argument("channel", type=click.Choice(CHANNELS))
@click.pass_context
def remove_message_address(ctx: click.Context, channel: str) -> None:
    """Take your number (sms) or mail address (mail) away.

    Example: secops iam remove-message-address sms
    """
    session = session_of(ctx)
    session.services(IamServices).message_addresses.remove_address(session.actor, channel)
    say("removed")


COMMANDS: Final = (list_message_addresses, add_message_address, remove_message_address)
