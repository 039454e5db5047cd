"""Resets of credentials: asked for, approved, hastened, completed, cancelled by the owner."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from iam.commands.handing import enrolment_record, hand_out
from iam.service import IamServices
from secops.kernel.clock import to_rfc3339
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


@click.command("hasten-reset")
@click.argument("reset")
@click.option("--reason", required=True, help="The emergency, for the ledger and the alert.")
@click.pass_context
def hasten_reset(ctx: click.Context, reset: str, reason: str) -> None:
    """Shorten the wait of an approved reset to 15 minutes, as a third administrator.

    Example: secops --as audit-admin iam hasten-reset apr_01k9… --reason "duty officer locked out"
    """
    session = session_of(ctx)
    recoveries = session.services(IamServices).recoveries
    found = recoveries.hasten_reset(session.actor, reset, reason)
    say(f"may be completed from {to_rfc3339(found.not_before)} on")


@click.command("list-own-resets")
@json_option
@click.pass_context
def list_own_resets(ctx: click.Context, *, as_json: bool) -> None:
    """List resets of your own account that wait for their time.

    Example: secops iam list-own-resets
    """
    session = session_of(ctx)
    waiting = session.services(IamServices).recoveries.own_resets(session.actor)
    records = [
        {
            "id": each.recovery.id,
            "not_before": to_rfc3339(each.recovery.not_before),
            "approved": each.approved,
            "reason": each.reason,
        }
        for each in waiting
    ]
    print_list("Resets", ("id", "not_before", "approved", "reason"), records, as_json=as_json)


@click.command("cancel-reset")
@click.argument("reset")
@click.pass_context
def cancel_reset(ctx: click.Context, reset: str) -> None:
    """Cancel a reset of your own account that you did not ask for.

    Example: secops iam cancel-reset apr_01k9…
    """
    session = session_of(ctx)
    session.services(IamServices).recoveries.cancel_reset(session.actor, reset)
    say("cancelled")


COMMANDS: Final = (
    request_reset,
    list_resets,
    approve_reset,
    complete_reset,
    hasten_reset,
    list_own_resets,
    cancel_reset,
)
