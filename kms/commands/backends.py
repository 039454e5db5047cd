"""``secops kms`` for key backends: list, check, drain, resume, and where keys are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, print_list, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.service.backends import BackendControl

_BACKENDS: Final = ("name", "kind", "centre", "group", "state", "failure", "keys")
_CUSTODY: Final = ("name", "mount", "type", "state", "places", "latest_version", "rotated_at")


def _control(ctx: click.Context) -> BackendControl:
    return services_of(ctx).backend_control


@click.command("list-backends")
@json_option
@click.pass_context
def list_backends(ctx: click.Context, *, as_json: bool) -> None:
    """List tokens and crypto machines that hold keys, each checked from here.

    Example: secops --as security-admin kms list-backends --json
    """
    from kms.service.presenting_backends import backend_fields  # noqa: PLC0415 - quick --help

    found = map(backend_fields, _control(ctx).list_backends(session_of(ctx).actor))
    records = list(found) if as_json else [_shown(fields) for fields in found]
    print_list("Key backends", _BACKENDS, records, as_json=as_json)


@click.command("check-backend")
@click.argument("name")
@json_option
@click.pass_context
def check_backend(ctx: click.Context, name: str, *, as_json: bool) -> None:
    """Have the backend NAME sign for a check; exit 3 if it does not work.

    Example: secops --as security-admin kms check-backend pkcs11
    """
    from kms.service.presenting_backends import backend_fields  # noqa: PLC0415 - quick --help

    fields = backend_fields(_control(ctx).check_backend(session_of(ctx).actor, name))
    if as_json:
        print_json(fields)
    else:
        click.echo(f"{name}: {_shown(fields)['state']}")
    if not fields["healthy"]:
        ctx.exit(3)


@click.command("drain-backend")
@click.argument("name")
@click.pass_context
def drain_backend(ctx: click.Context, name: str) -> None:
    """Let the backend NAME take no new keys; what it holds goes on working.

    Example: secops --as security-admin kms drain-backend pkcs11
    """
    _control(ctx).drain_backend(session_of(ctx).actor, name)
    say(f"{name} takes no new keys; see `secops kms list-custody --backend {name}`")


@click.command("resume-backend")
@click.argument("name")
@click.pass_context
def resume_backend(ctx: click.Context, name: str) -> None:
    """Let the backend NAME take new keys again.

    Example: secops --as security-admin kms resume-backend pkcs11
    """
    _control(ctx).resume_backend(session_of(ctx).actor, name)
    say(f"{name} takes new keys")


@click.command("list-custody")
@click.option("--backend", default="", help="Only keys with a version in this backend's group.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_custody(
    ctx: click.Context, /, backend: str, limit: int, cursor: str | None, *, as_json: bool
) -> None:
    """List the organisation's keys: where each is, when it was rotated, how many may use it.

    Example: secops --as security-admin kms list-custody --backend pkcs11
    """
    from kms.service.presenting_backends import custody_fields  # noqa: PLC0415 - quick --help
    from secops.kernel.pages import page_request  # noqa: PLC0415

    asked = page_request(str(limit), cursor)
    page = _control(ctx).list_custody(session_of(ctx).actor, asked, backend=backend)
    records = [custody_fields(each) for each in page.items]
    if not as_json:
        records = [{**each, "places": ", ".join(each["places"])} for each in records]
    print_list("Custody of keys", _CUSTODY, records, as_json=as_json, following=page.next)


@click.command("bind-unlock-token")
@click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Else you are asked.",
)
@click.pass_context
def bind_unlock_token(ctx: click.Context, *, passphrase_file: Path | None) -> None:
    """Let the device named by UNLOCK_TOKEN open the key pool at start, beside the passphrase.

    Example: secops --as security-admin kms bind-unlock-token --passphrase-file ./unlock
    """
    if passphrase_file is None:
        passphrase = click.prompt("Passphrase", hide_input=True, err=True)
    else:
        passphrase = passphrase_file.read_text(encoding="utf-8").rstrip("\r\n")
    binding = services_of(ctx).unlock_token
    name = binding.bind_unlock_token(session_of(ctx).actor, passphrase.encode())
    say(f"{name} opens the pool from the next start on; take UNLOCK_FILE away from this machine")


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    state = "well" if fields["healthy"] else "out of use"
    return {
        **fields,
        "state": f"{state}, draining" if fields["draining"] else state,
        "keys": ", ".join(f"{count} {kind}" for kind, count in fields["keys"].items()),
    }


COMMANDS: Final = (
    list_backends,
    check_backend,
    drain_backend,
    resume_backend,
    list_custody,
    bind_unlock_token,
)
