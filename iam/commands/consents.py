"""``list-consents``, ``revoke-consent``."""

from __future__ import annotations

from typing import Any, Final

import click

from iam.models.consents import ConsentView
from iam.service import IamServices
from secops.kernel.clock import to_rfc3339
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

_own = click.option("--own", is_flag=True, help="One's own.")


def _record(view: ConsentView) -> dict[str, Any]:
    return {
        "id": view.consent.id,
        "account": view.account_name,
        "client": view.consent.client_id,
        "organisation": view.organisation,
        "scopes": sorted(view.consent.scopes),
        "granted_at": to_rfc3339(view.consent.granted_at),
        "expires_at": to_rfc3339(view.consent.expires_at),
    }


@click.command("list-consents")
@click.option("--account", help="Only this account's (name or id).")
@_own
@json_option
@click.pass_context
def list_consents(ctx: click.Context, account: str | None, *, own: bool, as_json: bool) -> None:
    """List what people allow applications.

    Example: secops --as analyst iam list-consents --account zhang.wei
    """
    session = session_of(ctx)
    consents = session.services(IamServices).consents
    if own:
        views, following = consents.own_consents(session.actor), None
    else:
        page = consents.list_consents(session.actor, page_request("200", None), account)
        views, following = page.items, page.next
    records = [_record(view) for view in views]
    if as_json:
        print_json({"items": records, "next": following})
        return
    print_table(
        "Consents",
        ("id", "account", "application", "scopes", "until"),
        [
            (r["id"], r["account"], r["client"], " ".join(r["scopes"]), r["expires_at"])
            for r in records
        ],
    )


@click.command("revoke-consent")
@click.argument("consent_id")
@click.option("--reason", default="", help="For the ledger.")
@_own
@click.pass_context
def revoke_consent(ctx: click.Context, consent_id: str, reason: str, *, own: bool) -> None:
    """Take back a consent; the application's tokens end within a second.

    Example: secops --as security-admin iam revoke-consent cns_… --reason "contract over"
    """
    session = session_of(ctx)
    consents = session.services(IamServices).consents
    if own:
        consents.revoke_own_consent(session.actor, consent_id)
    else:
        consents.revoke_consent(session.actor, consent_id, reason)
    say(f"{consent_id} is taken back")


COMMANDS: Final = (list_consents, revoke_consent)
