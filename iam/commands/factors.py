"""``list-factors``, passkeys and recovery codes of one's own, and binding certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from iam.models.factors import NewBinding
from iam.service import IamServices
from secops.kernel.clock import rfc3339_or_none
from secops.terminal.output import json_option, print_json, print_list, say
from secops.terminal.session import session_of

_COLUMNS: Final = ("kind", "id", "name", "since", "last_used_at", "note", "usable")


@click.command("list-factors")
@json_option
@click.pass_context
def list_factors(ctx: click.Context, *, as_json: bool) -> None:
    """List your own factors.

    Example: secops iam list-factors
    """
    session = session_of(ctx)
    held = session.services(IamServices).factors.list_factors(session.actor)
    records = [
        {
            "kind": each.kind,
            "id": each.id,
            "name": each.name,
            "since": rfc3339_or_none(each.since or None),
            "last_used_at": rfc3339_or_none(each.last_used_at),
            "note": each.note,
            "usable": each.usable,
        }
        for each in held
    ]
    print_list("Factors", _COLUMNS, records, as_json=as_json)


@click.command("rename-passkey")
@click.argument("passkey")
@click.argument("name")
@click.pass_context
def rename_passkey(ctx: click.Context, passkey: str, name: str) -> None:
    """Give one of your passkeys another name.

    Example: secops iam rename-passkey 3f0c… "office computer"
    """
    session = session_of(ctx)
    session.services(IamServices).passkeys.rename_passkey(session.actor, passkey, name)
    say("renamed")


@click.command("remove-passkey")
@click.argument("passkey")
@click.pass_context
def remove_passkey(ctx: click.Context, passkey: str) -> None:
    """Remove one of your passkeys, e.g. of a lost device.

    Example: secops iam remove-passkey 3f0c…
    """
    session = session_of(ctx)
    session.services(IamServices).passkeys.remove_passkey(session.actor, passkey)
    say("removed")


@click.command("renew-recovery-codes")
@json_option
@click.pass_context
def renew_recovery_codes(ctx: click.Context, *, as_json: bool) -> None:
    """Make new recovery codes; the old ones no longer count.

    Example: secops iam renew-recovery-codes
    """
    session = session_of(ctx)
    codes = session.services(IamServices).factors.renew_recovery_codes(session.actor)
    if as_json:
        print_json({"recovery_codes": list(codes)})
        return
    for code in codes:
        click.echo(code)


@click.command("bind-certificate")
@click.argument("account")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", default="UKey", help="What its owner sees.")
@click.option("--token-held", is_flag=True, help="The key lies in a UKey that asks for a PIN.")
@click.option("--reason", default="", help="For the approver and the ledger.")
@click.option("--approval", help="The approved request: bind now.")
@click.pass_context
def bind_certificate(
    ctx: click.Context, /, account: str, file: Path, *, approval: str | None, **given: str | bool
) -> None:
    """Ask to bind a signing certificate to an account; with --approval, bind it.

    Example: secops --as system-admin iam bind-certificate zhang.wei zhang.wei.cer --token-held
    """
    session = session_of(ctx)
    service = session.services(IamServices).certificates
    new = NewBinding(account, file.read_bytes(), str(given["name"]), bool(given["token_held"]))
    if approval is None:
        click.echo(service.request_binding(session.actor, new, str(given["reason"])))
        return
    click.echo(service.bind_certificate(session.actor, new, approval).id)


@click.command("approve-certificate")
@click.argument("request")
@click.option("--reject", is_flag=True, help="Reject it instead.")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def approve_certificate(ctx: click.Context, request: str, reason: str, *, reject: bool) -> None:
    """Approve the binding that another administrator asked for.

    Example: secops --as security-admin iam approve-certificate apr_01k9…
    """
    session = session_of(ctx)
    service = session.services(IamServices).certificates
    service.approve_binding(session.actor, request, grant=not reject, reason=reason)
    say("rejected" if reject else "approved")


COMMANDS: Final = (
    list_factors,
    rename_passkey,
    remove_passkey,
    renew_recovery_codes,
    bind_certificate,
    approve_certificate,
)
