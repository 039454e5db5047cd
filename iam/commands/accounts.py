"""``create-account``, ``list-accounts``, ``lock-account``, ``unlock-account``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from iam.commands.handing import enrolment_record, hand_out
from iam.models.accounts import Account, AccountQuery, IdentityDocument, NewAccount
from iam.models.profiles import AccountProfile
from iam.service import IamServices
from secops.kernel.clock import rfc3339_or_none
from secops.kernel.pages import page_request
from secops.terminal.instants import instant
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of


def _record(account: Account, roles: frozenset[str]) -> dict[str, Any]:
    signed_in = account.last_sign_in
    return {
        "id": account.id,
        "name": account.name,
        "kind": account.kind,
        "state": account.state,
        "roles": sorted(roles),
        "last_sign_in": rfc3339_or_none(signed_in),
        "erased_at": rfc3339_or_none(account.erased_at),
    }


def _shown(record: dict[str, Any]) -> str:
    return f"erased person ({record['name']})" if record["erased_at"] else str(record["name"])


@click.command("create-account")
@click.argument("name")
@click.option("--kind", type=click.Choice(["natural", "civil", "legal", "service"]))
@click.option("--full-name", default="", help="The person's name; sealed by the key pool.")
@click.option("--document-type", type=click.Choice(["cn-id", "passport", "other"]))
@click.option("--document-number", help="Its number; only a keyed hash of it is kept.")
@click.option("--organisation", default="", help="Where a civil servant serves.")
@click.option("--post", default="", help="As what.")
@click.option("--under", help="The id of the organisation it belongs to; your own by default.")
@click.option("--owner", help="Who answers for a service account.")
@click.option("--review", metavar="TIME", help="When a service account is looked at (RFC 3339).")
@click.option("--expires", metavar="TIME", help="When a service account ends (RFC 3339).")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The enrolment file.")
@click.pass_context
def create_account(
    ctx: click.Context, /, name: str, output: Path | None, **given: str | None
) -> None:
    """Create an account without any role; its enrolment works once, within 24 hours.

    Example: secops --as system-admin iam create-account zhang.wei --document-type cn-id
    --document-number 11010519491231002X -o zhang.wei.json
    """
    session = session_of(ctx)
    number = given["document_number"]
    kind = given["document_type"]
    if (number is None) != (kind is None):
        msg = "--document-type and --document-number belong together"
        raise click.UsageError(msg)
    document = IdentityDocument(kind, number) if kind and number else None  # type: ignore[arg-type] # one of click's choices
    new = NewAccount(
        name=name,
        kind=given["kind"] or "natural",  # type: ignore[arg-type] # one of click's choices
        full_name=given["full_name"] or "",
        document=document,
        organisation=given["organisation"] or "",
        post=given["post"] or "",
        organisation_id=given["under"],
        owner_id=given["owner"],
        review_at=instant(given["review"], "--review") if given["review"] else None,
        expires_at=instant(given["expires"], "--expires") if given["expires"] else None,
    )
    account, issued = session.services(IamServices).accounts.create_account(session.actor, new)
    hand_out({"id": account.id, **enrolment_record(issued)}, output)


@click.command("list-accounts")
@click.option("--limit", type=click.IntRange(1, 200), default=200)
@click.option("--cursor", help="The `next` of the page before.")
@click.option("--text", default="", help="Only names with this in them.")
@click.option("--state", default="", help="Only active, pending, locked or closed ones.")
@click.option("--role", default="", help="Only holders of this role.")
@click.option("--organisation", default="", help="Only in this organisation and below it.")
@json_option
@click.pass_context
def list_accounts(
    ctx: click.Context, /, limit: int, cursor: str | None, *, as_json: bool, **given: str
) -> None:
    """List accounts and their roles.

    Example: secops --as system-admin iam list-accounts --json
    """
    session = session_of(ctx)
    asked = page_request(str(limit), cursor)
    query = AccountQuery(
        text=given["text"],
        state=given["state"],
        role=given["role"],
        organisation_id=given["organisation"],
    )
    accounts = session.services(IamServices).accounts
    page, roles = accounts.list_accounts(session.actor, asked, query)
    records = [_record(account, roles[account.id]) for account in page.items]
    if as_json:
        print_json({"items": records, "next": page.next})
        return
    rows = [(_shown(r), r["kind"], r["state"], ", ".join(r["roles"]), r["id"]) for r in records]
    print_table("Accounts", ("name", "kind", "state", "roles", "id"), rows)


@click.command("lock-account")
@click.argument("account")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def lock_account(ctx: click.Context, account: str, reason: str) -> None:
    """Lock an account and end its sessions, within a second everywhere.

    Example: secops --as security-admin iam lock-account zhang.wei --reason "left"
    """
    session = session_of(ctx)
    session.services(IamServices).accounts.lock_account(session.actor, account, reason)
    say(f"{account} is locked")


@click.command("unlock-account")
@click.argument("account")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def unlock_account(ctx: click.Context, account: str, reason: str) -> None:
    """Let an account sign in again.

    Example: secops --as system-admin iam unlock-account zhang.wei
    """
    session = session_of(ctx)
    session.services(IamServices).accounts.unlock_account(session.actor, account, reason)
    say(f"{account} may sign in again")


@click.command("show-account")
@click.argument("account")
@json_option
@click.pass_context
def show_account(ctx: click.Context, account: str, *, as_json: bool) -> None:
    """Show an account with its factors, risk, locks, sessions, devices and mandates.

    What your role may not see is left out.

    Example: secops --as security-admin iam show-account zhang.wei
    """
    session = session_of(ctx)
    found = session.services(IamServices).power.profiles.get_profile(session.actor, account)
    record = _profile_record(found)
    if as_json:
        print_json(record)
        return
    rows = [(name, _line(value)) for name, value in record.items() if value is not None]
    print_table(found.account.name, ("what", "is"), rows)


def _line(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _profile_record(profile: AccountProfile) -> dict[str, Any]:
    def ids(items: tuple[Any, ...] | None) -> list[str] | None:
        return None if items is None else [each.id for each in items]

    return {
        **_record(profile.account, profile.roles or frozenset()),
        "roles": None if profile.roles is None else sorted(profile.roles),
        "lent_roles": sorted(profile.lent),
        "real_name_level": profile.real_name_level,
        "factors": [factor.kind for factor in profile.factors if factor.usable],
        "risk": profile.risk.risk,
        "consequence": profile.risk.consequence,
        "sessions": ids(profile.sessions),
        "devices": ids(profile.devices),
        "locks": ids(profile.locks),
        "mandates": None
        if profile.mandates is None
        else [f"{legal.name}: {mandate.scope}" for mandate, legal in profile.mandates],
    }


COMMANDS: Final = (create_account, list_accounts, show_account, lock_account, unlock_account)
