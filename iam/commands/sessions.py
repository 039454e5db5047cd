"""``list-sessions``, ``revoke-sessions``."""

from __future__ import annotations

from typing import Final

import click

from iam.service import IamServices
from secops.kernel.clock import to_rfc3339
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of


@click.command("list-sessions")
@click.option("--account", help="Only this account's (name or id).")
@json_option
@click.pass_context
def list_sessions(ctx: click.Context, account: str | None, *, as_json: bool) -> None:
    """List living sessions.

    Example: secops --as analyst iam list-sessions --account zhang.wei
    """
    session = session_of(ctx)
    services = session.services(IamServices)
    page = services.sessions.list_sessions(session.actor, page_request("200", None), account)
    records = [
        {
            "id": found.id,
            "account": found.account_id,
            "acr": found.acr,
            "address": found.address,
            "signed_in_at": to_rfc3339(found.auth_time),
            "last_seen": to_rfc3339(found.last_seen),
        }
        for found in page.items
    ]
    if as_json:
        print_json({"items": records, "next": page.next})
        return
    print_table(
        "Sessions",
        ("id", "account", "signed in", "last seen", "address"),
        [(r["id"], r["account"], r["signed_in_at"], r["last_seen"], r["address"]) for r in records],
    )


@click.command("revoke-sessions")
@click.argument("account")
@click.option("--reason", default="", help="For the ledger.")
@json_option
@click.pass_context
def revoke_sessions(ctx: click.Context, account: str, reason: str, *, as_json: bool) -> None:
    """End every session of an account, within a second everywhere.

    Example: secops --as analyst iam revoke-sessions zhang.wei --reason "stolen laptop"
    """
    session = session_of(ctx)
    services = session.services(IamServices)
    ended = services.sessions.revoke_sessions(session.actor, account, reason)
    if as_json:
        print_json({"ended": list(ended)})
    else:
        say(f"{len(ended)} session(s) ended")


COMMANDS: Final = (list_sessions, revoke_sessions)
