"""Accounts sealed for emergencies: asked for, created, tested, looked into, retired."""

from __future__ import annotations

from typing import Final

import click

from iam.service import IamServices
from iam.service.people.break_glass import BreakGlassService, whole_password
from secops.kernel.clock import rfc3339_or_none
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.terminal.output import json_option, print_json, print_list, say
from secops.terminal.session import session_of

_ROLE: Final = click.Choice(sorted(ADMINISTRATORS))
_COLUMNS: Final = ("role", "account", "state", "sealed_at", "tested_at", "opened_at", "reviewed_at")


def _service(ctx: click.Context) -> BreakGlassService:
    return session_of(ctx).services(IamServices).break_glass


@click.command("request-break-glass")
@click.argument("role", type=_ROLE)
@click.option("--reason", required=True, help="For the approver and the ledger.")
@click.option("--retire", is_flag=True, help="Ask to end the account instead.")
@click.pass_context
def request_break_glass(ctx: click.Context, role: str, reason: str, *, retire: bool) -> None:
    """Ask to seal the emergency account of a role, new or anew.

    Example: secops --as system-admin iam request-break-glass security-admin --reason "new home"
    """
    actor = session_of(ctx).actor
    click.echo(_service(ctx).request_break_glass(actor, role, reason, retire=retire))


@click.command("create-break-glass")
@click.argument("request")
@json_option
@click.pass_context
def create_break_glass(ctx: click.Context, request: str, *, as_json: bool) -> None:
    """Seal an emergency account as approved, and print its first envelope, once.

    The second one is for the security administrator: collect-break-glass.

    Example: secops --as system-admin iam create-break-glass apr_01k9…
    """
    made = _service(ctx).create_break_glass(session_of(ctx).actor, request)
    if as_json:
        print_json({"account": made.account, "first_half": made.half})
        return
    click.echo(f"envelope 1\n  account      {made.account}\n  first half   {made.half}")
    say("print it, seal it, lock it away; the security administrator collects envelope 2")


@click.command("collect-break-glass")
@click.argument("role", type=_ROLE)
@json_option
@click.pass_context
def collect_break_glass(ctx: click.Context, role: str, *, as_json: bool) -> None:
    """Print the second envelope of an emergency account, once, to another person.

    Example: secops --as security-admin iam collect-break-glass security-admin
    """
    made = _service(ctx).collect_break_glass(session_of(ctx).actor, role)
    if as_json:
        codes = list(made.codes)
        print_json({"account": made.account, "second_half": made.half, "codes": codes})
        return
    click.echo(f"envelope 2\n  account      {made.account}\n  second half  {made.half}")
    for code in made.codes:
        click.echo(f"  code         {code}")
    say("another safe than envelope 1; the password is FIRST-SECOND, each code works once")


@click.command("list-break-glass")
@json_option
@click.pass_context
def list_break_glass(ctx: click.Context, *, as_json: bool) -> None:
    """List the emergency accounts and the state of their seals.

    Example: secops --as audit-admin iam list-break-glass
    """
    found = _service(ctx).list_break_glass(session_of(ctx).actor)
    records = [
        {
            "role": each.role,
            "account": each.name,
            "state": each.state,
            "sealed_at": rfc3339_or_none(each.sealed.sealed_at),
            "tested_at": rfc3339_or_none(each.sealed.tested_at),
            "opened_at": rfc3339_or_none(each.sealed.opened_at),
            "reviewed_at": rfc3339_or_none(each.sealed.reviewed_at),
        }
        for each in found
    ]
    print_list("Emergency accounts", _COLUMNS, records, as_json=as_json)


@click.command("test-break-glass")
@click.argument("role", type=_ROLE)
@click.pass_context
def test_break_glass(ctx: click.Context, role: str) -> None:
    """Check both halves against the seal without breaking it, once a month.

    Each custodian types their own; neither sees the other's.

    Example: secops --as system-admin iam test-break-glass security-admin
    """
    first = click.prompt("first half", hide_input=True, err=True)
    second = click.prompt("second half", hide_input=True, err=True)
    password = whole_password(first.strip(), second.strip())
    _service(ctx).test_break_glass(session_of(ctx).actor, role, password)
    say("both halves fit; the seal is whole")


@click.command("review-break-glass")
@click.argument("role", type=_ROLE)
@click.option("--note", required=True, help="What was found, for the ledger.")
@click.pass_context
def review_break_glass(ctx: click.Context, role: str, note: str) -> None:
    """Note that audit looked into a use; only then it can be sealed anew.

    Example: secops --as audit-admin iam review-break-glass security-admin --note "case 26-11-3"
    """
    _service(ctx).review_break_glass(session_of(ctx).actor, role, note)
    say("looked into; have it sealed anew")


@click.command("retire-break-glass")
@click.argument("request")
@click.pass_context
def retire_break_glass(ctx: click.Context, request: str) -> None:
    """End an emergency account as approved.

    Example: secops --as system-admin iam retire-break-glass apr_01k9…
    """
    _service(ctx).retire_break_glass(session_of(ctx).actor, request)
    say("retired")


COMMANDS: Final = (
    request_break_glass,
    create_break_glass,
    collect_break_glass,
    list_break_glass,
    test_break_glass,
    review_break_glass,
    retire_break_glass,
)
