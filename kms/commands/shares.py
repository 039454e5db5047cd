"""``secops kms init-shares``, ``change-passphrase`` and ``decide-rekey``: the ceremony.

It works on this machine, never over the network: each share is shown once or written once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from kms.commands.services import services_of
from secops.kernel.errors import Conflict
from secops.terminal.output import json_option, print_json, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.shares import IssuedShare, Opening
    from kms.service import KmsServices
    from secops.kernel.approvals import Approval

approval_option = click.option("--approval", help="The approved request this carries out.")


@click.command("init-shares")
@click.option("--shares", type=click.IntRange(2, 255), default=5, show_default=True)
@click.option("--threshold", type=click.IntRange(2, 255), default=3, show_default=True)
@click.option("--holder", "holders", multiple=True, help="Who keeps a share; one for each share.")
@approval_option
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for one file of mode 0600 a share; else each is shown once.",
)
@json_option
@click.pass_context
def init_shares(ctx: click.Context, /, **options: object) -> None:
    """Let THRESHOLD of SHARES open the root key instead of what opens it now; keys stay.

    Without --approval it asks: another security administrator decides by decide-rekey, then
    the same command with --approval carries it out.

    Example: secops --as security-admin kms init-shares --shares 5 --threshold 3
    """
    from kms.models.shares import Opening  # noqa: PLC0415 - quick --help

    holders = _holders(options["holders"], options["shares"])
    opening = Opening(threshold=int(str(options["threshold"])), holders=holders)
    approval = options["approval"]
    if approval is None:
        _request(ctx, opening, as_json=bool(options["as_json"]))
        return
    folder = options["output"]
    if isinstance(folder, Path):
        _make_folder(folder)
    services, actor = services_of(ctx), session_of(ctx).actor
    _unlock_here(ctx, services)
    shares = services.rekeying.init_shares(actor, opening, str(approval))
    if isinstance(folder, Path):
        for share in shares:
            _write(folder, share)
    else:
        _show(shares, as_json=bool(options["as_json"]))
    say(f"{opening.threshold} of these {len(shares)} shares open the root key from now on")


@click.command("change-passphrase")
@approval_option
@json_option
@click.pass_context
def change_passphrase(ctx: click.Context, *, approval: str | None, as_json: bool) -> None:
    """Let a passphrase open the root key instead of what opens it now; keys stay.

    Example: secops --as security-admin kms change-passphrase
    """
    from kms.models.shares import Opening  # noqa: PLC0415 - quick --help

    if approval is None:
        _request(ctx, Opening(), as_json=as_json)
        return
    services, actor = services_of(ctx), session_of(ctx).actor
    _unlock_here(ctx, services)
    passphrase: str = click.prompt(
        "New passphrase", hide_input=True, confirmation_prompt=True, err=True
    )
    services.rekeying.change_passphrase(actor, approval, passphrase.encode())
    say("the passphrase opens the root key from now on; put it into the unlock file if you use one")


@click.command("decide-rekey")
@click.argument("approval")
@click.option("--grant/--reject", required=True, help="Approve or reject.")
@click.option("--reason", required=True, help="Why.")
@json_option
@click.pass_context
def decide_rekey(
    ctx: click.Context, *, approval: str, grant: bool, reason: str, as_json: bool
) -> None:
    """Approve or reject what another security administrator asked for.

    Example: secops --as security-admin-2 kms decide-rekey apr_01… --grant --reason "as agreed"
    """
    rekeying, actor = services_of(ctx).rekeying, session_of(ctx).actor
    say(rekeying.show_rekey(actor, approval).subject)
    _print_request(rekeying.decide_rekey(actor, approval, grant=grant, reason=reason), as_json)


COMMANDS: Final[tuple[click.Command, ...]] = (init_shares, change_passphrase, decide_rekey)
"""What the group ``secops kms`` takes up."""


def _holders(named: object, shares: object) -> tuple[str, ...]:
    """Return the holders' names; without names they are numbered."""
    count = int(str(shares))
    given = tuple(str(name) for name in named) if isinstance(named, tuple) else ()
    if not given:
        return tuple(f"holder-{number}" for number in range(1, count + 1))
    if len(given) != count:
        msg = f"{count} shares need {count} holders, not {len(given)}"
        raise click.BadParameter(msg, param_hint="--holder")
    return given


def _request(ctx: click.Context, opening: Opening, *, as_json: bool) -> None:
    asked = services_of(ctx).rekeying.request_rekey(session_of(ctx).actor, opening)
    _print_request(asked, as_json)
    say(f"another security administrator: secops kms decide-rekey {asked.id} --grant --reason …")
    say(f"then you: the same command with --approval {asked.id}")


def _print_request(approval: Approval, as_json: bool) -> None:  # noqa: FBT001 - one of two forms
    record = {"approval": approval.id, "state": approval.state, "subject": approval.subject}
    if as_json:
        print_json(record)
    else:
        click.echo(f"{approval.id} {approval.state}: {approval.subject}")


def _unlock_here(ctx: click.Context, services: KmsServices) -> None:
    """Open the pool in this process: by the settings, else by what is asked for."""
    actor = session_of(ctx).actor
    while services.pool.status().state != "unlocked":
        before = services.unlocking.show_progress()
        kind = "Passphrase" if before.method == "passphrase" else "Share"
        text = click.prompt(f"{kind} that opens it now", hide_input=True, err=True)
        after = services.unlocking.unlock_pool(actor, text)
        if after.given:
            say(f"{after.given} of {after.threshold}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        msg = f"{folder} exists; shares are written into a new folder"
        raise Conflict(msg) from error


def _write(folder: Path, share: IssuedShare) -> None:
    file = folder / f"share-{share.index}.txt"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(share.text + "\n")
    say(f"{file}: {share.holder} (mode 0600)")


def _show(shares: tuple[IssuedShare, ...], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {"holder": share.holder, "index": share.index, "share": share.text}
                for share in shares
            ]
        )
        return
    for share in shares:
        if sys.stdout.isatty():
            click.pause(f"{share.holder} alone before the screen: press a key", err=True)
        click.echo(f"{share.index} {share.holder}: {share.text}")
        if sys.stdout.isatty():
            click.pause("written down? press a key", err=True)
            click.clear()
