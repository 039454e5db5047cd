"""``request-reset``, ``list-resets``, ``approve-reset``, ``complete-reset``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from iam.commands.handing import enrolment_record, hand_out
from iam.service import IamServices
from secops.terminal.output import json_option, print_list, say
from secops.terminal.session import session_of


@click.command("request-reset")
@click.argument("account")
@click.option("--reason", required=True, help="For the approver and the ledger.")
@click.pass_context
def request_reset(ctx: click.Context, account: str, reason: str) -> None:
    """Ask to reset an account's password and factors.

    Example: secops --as system-admin iam request-reset zhang.wei --reason "lost phone"
    """
    session = session_of(ctx)
    resets = session.services(IamServices).resets
    click.echo(resets.request_reset(session.actor, account, reason))


@click.command("list-resets")
@json_option
@click.pass_context
def list_resets(ctx: click.Context, *, as_json: bool) -> None:
    """List requests that wait for approval.

    Example: secops --as security-admin iam list-resets
    """
    session = session_of(ctx)
    waiting = session.services(IamServices).resets.pending(session.actor)
    records = [{"id": a.id, "subject": a.subject, "reason": a.reason} for a in waiting]
    print_list("Resets", ("id", "subject", "reason"), records, as_json=as_json)


@click.command("approve-reset")
@click.argument("reset")
@click.option("--reject", is_flag=True, help="Reject it instead.")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def approve_reset(ctx: click.Context, reset: str, reason: str, *, reject: bool) -> None:
    """Approve a reset that another administrator asked for.

    Example: secops --as security-admin iam approve-reset apr_01k9…
    """
    session = session_of(ctx)
    resets = session.services(IamServices).resets
    resets.approve_reset(session.actor, reset, grant=not reject, reason=reason)
    say("rejected" if reject else "approved")


@click.command("complete-reset")
@click.argument("reset")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The enrolment file.")
@click.pass_context
def complete_reset(ctx: click.Context, reset: str, output: Path | None) -> None:
    """Clear the factors of an approved reset's account and hand out a new enrolment.

    Example: secops --as system-admin iam complete-reset apr_01k9… -o zhang.wei.json
    """
    session = session_of(ctx)
    issued = session.services(IamServices).resets.complete_reset(session.actor, reset)
    hand_out(enrolment_record(issued), output)


COMMANDS: Final = (request_reset, list_resets, approve_reset, complete_reset)
