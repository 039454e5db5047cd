"""``assign-role``, ``revoke-role``, ``list-roles``."""

from __future__ import annotations

from typing import Final

import click

from iam.service import IamServices
from secops.kernel.permissions import ROLES
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

_ROLE: Final = click.Choice(list(ROLES))
_client = click.option("--client", is_flag=True, help="SUBJECT is an application.")


@click.command("assign-role")
@click.argument("subject")
@click.argument("role", type=_ROLE)
@_client
@click.option("--days", type=click.IntRange(1, 366), help="For an auditor. Default: 90.")
@click.pass_context
def assign_role(
    ctx: click.Context, subject: str, role: str, *, client: bool, days: int | None
) -> None:
    """Give a role; one person holds at most one of the three administrators' roles.

    An auditor is named for some days by the audit administrator.

    Example: secops --as security-admin iam assign-role zhang.wei analyst
    """
    session = session_of(ctx)
    roles = session.services(IamServices).roles
    if client:
        roles.assign_client_role(session.actor, subject, role)
    else:
        roles.assign_role(session.actor, subject, role, days=days)
    say(f"{subject} is {role}")


@click.command("revoke-role")
@click.argument("subject")
@click.argument("role", type=_ROLE)
@_client
@click.pass_context
def revoke_role(ctx: click.Context, subject: str, role: str, *, client: bool) -> None:
    """Take a role away; the subject's sessions end.

    Example: secops --as security-admin iam revoke-role zhang.wei analyst
    """
    session = session_of(ctx)
    roles = session.services(IamServices).roles
    (roles.revoke_client_role if client else roles.revoke_role)(session.actor, subject, role)
    say(f"{subject} is no longer {role}")


@click.command("list-roles")
@json_option
@click.pass_context
def list_roles(ctx: click.Context, *, as_json: bool) -> None:
    """List who holds which roles.

    Example: secops --as audit-admin iam list-roles
    """
    session = session_of(ctx)
    held = session.services(IamServices).roles.list_roles(session.actor)
    if as_json:
        items = [{"subject": name, "roles": sorted(roles)} for name, roles in held.items()]
        print_json({"items": items, "next": None})
        return
    rows = [(name, ", ".join(sorted(roles))) for name, roles in sorted(held.items())]
    print_table("Roles", ("subject", "roles"), rows)


COMMANDS: Final = (assign_role, revoke_role, list_roles)
