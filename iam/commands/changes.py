"""Changes that take two persons, and roles that are lent."""

from __future__ import annotations

from typing import Any, Final

import click

from iam.models.changes import ChangeRequest, NewChange
from iam.service import IamServices
from secops.kernel.clock import to_rfc3339
from secops.kernel.pages import page_request
from secops.kernel.permissions import ROLES
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import Session, session_of

_reason = click.option("--reason", required=True, help="For who decides, and for the ledger.")


def _record(change: ChangeRequest) -> dict[str, Any]:
    return {
        "id": change.id,
        "kind": change.kind,
        "target": change.target,
        "before": dict(change.before),
        "after": dict(change.after),
        "reason": change.reason,
        "state": change.state,
        "requester": change.requester_id,
        "expires_at": to_rfc3339(change.expires_at),
    }


def _ask(session: Session, new: NewChange) -> None:
    change = session.services(IamServices).power.changes.request_change(session.actor, new)
    say("another person decides: secops iam approve-change")
    print_json(_record(change))


@click.command("request-change")
@click.argument("account")
@click.option("--role", "roles", multiple=True, type=click.Choice(list(ROLES)), help="Repeatable.")
@_reason
@click.pass_context
def request_change(ctx: click.Context, account: str, roles: tuple[str, ...], reason: str) -> None:
    """Ask that an account shall hold exactly these roles; another person approves.

    Example: secops --as system-admin iam request-change li.lei --role security-admin --reason 轮岗
    """
    session = session_of(ctx)
    found = session.services(IamServices).accounts.get_account(session.actor, account)
    after = {"roles": sorted(set(roles))}
    _ask(session, NewChange("roles.change", f"account:{found.id}", after, reason))


@click.command("request-privilege")
@click.argument("role", type=click.Choice(list(ROLES)))
@click.option("--minutes", type=click.IntRange(5, 1_440), required=True, help="For how long.")
@click.option("--emergency", is_flag=True, help="An administrator's role, at most 240 minutes.")
@_reason
@click.pass_context
def request_privilege(
    ctx: click.Context, role: str, minutes: int, reason: str, *, emergency: bool
) -> None:
    """Ask to be lent a role for some minutes; it ends by itself.

    Example: secops --as staff iam request-privilege analyst --minutes 120 --reason 值班
    """
    session = session_of(ctx)
    kind = "roles.emergency" if emergency else "roles.lend"
    after = {"role": role, "minutes": minutes}
    _ask(session, NewChange(kind, f"account:{session.actor.id}", after, reason))


@click.command("erase-person")
@click.argument("account")
@_reason
@click.pass_context
def erase_person(ctx: click.Context, account: str, reason: str) -> None:
    """Ask to erase who is behind an account that left or is locked; another person approves.

    Names, contacts and factors go for good, ids stay.

    Example: secops --as system-admin iam erase-person zhang.wei --reason 本人申请
    """
    session = session_of(ctx)
    erasures = session.services(IamServices).power.erasures
    change = erasures.erase_person(session.actor, account, reason)
    say("another person decides: secops iam approve-change")
    print_json(_record(change))


@click.command("list-changes")
@click.option("--all", "everything", is_flag=True, help="Also what was decided or expired.")
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_changes(
    ctx: click.Context, cursor: str | None, *, everything: bool, as_json: bool
) -> None:
    """List change requests within your reach, newest first.

    Example: secops --as security-admin iam list-changes
    """
    session = session_of(ctx)
    page = session.services(IamServices).power.changes.list_changes(
        session.actor, page_request("200", cursor), pending=not everything
    )
    records = [_record(change) for change in page.items]
    if as_json:
        print_json({"items": records, "next": page.next})
        return
    names = ("id", "kind", "target", "state", "reason")
    print_table("Change requests", names, [[record[name] for name in names] for record in records])


@click.command("show-change")
@click.argument("change")
@json_option
@click.pass_context
def show_change(ctx: click.Context, change: str, *, as_json: bool) -> None:
    """Show a request with each field before and after.

    Example: secops --as security-admin iam show-change chg_01k…
    """
    session = session_of(ctx)
    view = session.services(IamServices).power.changes.view_change(session.actor, change)
    differences = [
        {"field": each.field, "before": each.before, "after": each.after}
        for each in view.differences
        if each.changed
    ]
    if as_json:
        print_json({**_record(view.request), "differences": differences, "stale": view.stale})
        return
    say(f"{view.request.kind} of {view.request.target}, asked by {view.requester}")
    say(f"{view.request.state}{', stale' if view.stale else ''}: {view.request.reason}")
    rows = [(each["field"], str(each["before"]), str(each["after"])) for each in differences]
    print_table("Differences", ("field", "before", "after"), rows)


@click.command("approve-change")
@click.argument("change")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def approve_change(ctx: click.Context, change: str, reason: str) -> None:
    """Approve a request of another person's, and thereby carry it out.

    Example: secops --as security-admin iam approve-change chg_01k…
    """
    session = session_of(ctx)
    done = session.services(IamServices).power.changes.approve_change(session.actor, change, reason)
    say(f"{done.target}: {done.state}")


@click.command("reject-change")
@click.argument("change")
@_reason
@click.pass_context
def reject_change(ctx: click.Context, change: str, reason: str) -> None:
    """Refuse a request of another person's.

    Example: secops --as security-admin iam reject-change chg_01k… --reason 依据不足
    """
    session = session_of(ctx)
    session.services(IamServices).power.changes.reject_change(session.actor, change, reason)
    say(f"{change} is rejected")


@click.command("withdraw-change")
@click.argument("change")
@click.pass_context
def withdraw_change(ctx: click.Context, change: str) -> None:
    """Take back a request of your own.

    Example: secops --as system-admin iam withdraw-change chg_01k…
    """
    session = session_of(ctx)
    session.services(IamServices).power.changes.withdraw_change(session.actor, change)
    say(f"{change} is withdrawn")


COMMANDS: Final = (
    request_change,
    request_privilege,
    erase_person,
    list_changes,
    show_change,
    approve_change,
    reject_change,
    withdraw_change,
)
