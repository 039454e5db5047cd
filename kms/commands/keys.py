"""``secops kms``: create-key, sign, verify and what else is done with keys."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, print_list, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.keys import LoadedKey

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_MAX_FILE: Final = 64 << 20
_MAX_SIGNATURE: Final = 1 << 16
_TYPES: Final = (
    "sm2",
    "sm4-gcm96",
    "sm4-ccm96",
    "aes256-gcm96",
    "aes128-gcm96",
    "chacha20-poly1305",
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "ed25519",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "ml-dsa-44",
    "ml-dsa-65",
    "ml-dsa-87",
    "hmac",
)


def _show(loaded: LoadedKey, *, as_json: bool) -> None:
    from kms.service.presenting import describe  # noqa: PLC0415 - quick --help

    shown = describe(loaded)
    if as_json:
        print_json({"id": loaded.key.id, **shown})
    else:
        key = loaded.key
        click.echo(f"{key.name}\t{key.type}\tversion {key.latest_version}\t{key.state}\t{key.id}")


@click.command("create-key")
@click.argument("name")
@click.option("--type", "key_type", type=click.Choice(_TYPES), required=True)
@click.option("--grant", "grants", metavar="ACCOUNT", multiple=True, help="Who may use it.")
@click.option("--backend", default="", help="The backend it lives in; default: by the rules.")
@click.option("--exportable", is_flag=True, help="Let its material be exported, for ever.")
@json_option
@click.pass_context
def create_key(ctx: click.Context, /, name: str, **options: Any) -> None:
    """Create the key NAME, and grant its use.

    Example: secops --as security-admin kms create-key ca-sm2 --type sm2 --grant integrator
    """
    from kms.models.keys import DEFAULT_OPERATIONS, KeyRequest  # noqa: PLC0415 - quick --help

    services, actor = services_of(ctx), session_of(ctx).actor
    request = KeyRequest(
        name,
        options["key_type"],
        exportable=options["exportable"],
        backend=options["backend"],
    )
    loaded = services.keys.create_key(actor, request)
    for account in options["grants"]:
        services.key_control.grant_key(actor, name, account, DEFAULT_OPERATIONS)
    _show(loaded, as_json=options["as_json"])


@click.command("grant-key")
@click.argument("name")
@click.argument("account")
@click.option("--operation", "operations", multiple=True, help="Default: all but export.")
@click.pass_context
def grant_key(ctx: click.Context, name: str, account: str, operations: tuple[str, ...]) -> None:
    """Let ACCOUNT use the key NAME.

    Example: secops --as security-admin kms grant-key ca-sm2 integrator --operation verify
    """
    from kms.models.keys import DEFAULT_OPERATIONS  # noqa: PLC0415 - quick --help

    words = operations or tuple(DEFAULT_OPERATIONS)
    grant = services_of(ctx).key_control.grant_key(session_of(ctx).actor, name, account, words)
    say(f"{grant.subject}: {' '.join(sorted(grant.operations))}")


@click.command("revoke-key-grant")
@click.argument("name")
@click.argument("account")
@click.pass_context
def revoke_key_grant(ctx: click.Context, name: str, account: str) -> None:
    """Take the key NAME away from ACCOUNT.

    Example: secops --as security-admin kms revoke-key-grant ca-sm2 integrator
    """
    services_of(ctx).key_control.revoke_key_grant(session_of(ctx).actor, name, account)
    say(f"{account} may no longer use {name}")


@click.command("sign")
@click.argument("name")
@click.argument("file", type=_FILE)
@click.option("-o", "--output", type=_OUT, required=True, help="Where the signature (DER) goes.")
@click.pass_context
def sign(ctx: click.Context, name: str, file: Path, output: Path) -> None:
    """Sign FILE with the key NAME. SM2 hashes by SM3 with ZA of the default user id.

    Example: secops --as integrator kms sign ca-sm2 notice.pdf -o notice.sig
    """
    made = services_of(ctx).transit.sign_bytes(session_of(ctx).actor, name, _read(file, _MAX_FILE))
    output.write_bytes(made.signature)
    say(f"{output}: {len(made.signature)} bytes by version {made.key_version} of {name}")


@click.command("verify")
@click.argument("name")
@click.argument("file", type=_FILE)
@click.argument("signature", type=_FILE)
@click.pass_context
def verify(ctx: click.Context, name: str, file: Path, signature: Path) -> None:
    """Verify SIGNATURE over FILE with the key NAME; exit 1 if it is wrong.

    Example: secops --as integrator kms verify ca-sm2 notice.pdf notice.sig
    """
    claimed = _read(signature, _MAX_SIGNATURE)
    content = _read(file, _MAX_FILE)
    version = services_of(ctx).transit.verify_bytes(session_of(ctx).actor, name, content, claimed)
    if version is None:
        click.echo("wrong")
        ctx.exit(1)
    click.echo(f"good, by version {version}")


@click.command("export-public-key")
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), default=None, help="Default: the latest.")
@click.pass_context
def export_public_key(ctx: click.Context, name: str, version: int | None) -> None:
    """Print the public key of NAME as PEM.

    Example: secops --as integrator kms export-public-key ca-sm2 > ca-sm2.pem
    """
    from kms.service.presenting import public_pem  # noqa: PLC0415 - quick --help

    loaded = services_of(ctx).keys.get_key(session_of(ctx).actor, name)
    sys.stdout.write(public_pem(loaded, version or 0))


@click.command("rotate-key")
@click.argument("name")
@click.option("--backend", default="", help="Move to this backend; default: where it is.")
@json_option
@click.pass_context
def rotate_key(ctx: click.Context, name: str, backend: str, *, as_json: bool) -> None:
    """Give the key NAME a new version; what older ones made stays good.

    Example: secops --as security-admin kms rotate-key ca-sm2
    """
    rotated = services_of(ctx).keys.rotate_key(session_of(ctx).actor, name, backend=backend)
    _show(rotated, as_json=as_json)


@click.command("configure-key")
@click.argument("name")
@click.option("--min-decryption-version", type=int)
@click.option("--min-encryption-version", type=int)
@click.option("--deletion-allowed/--no-deletion-allowed", default=None)
@json_option
@click.pass_context
def configure_key(ctx: click.Context, /, name: str, *, as_json: bool, **changes: Any) -> None:
    """Change what versions of the key NAME may still be used, and whether it may be destroyed.

    Example: secops --as security-admin kms configure-key ca-sm2 --min-decryption-version 2
    """
    chosen = {word: value for word, value in changes.items() if value is not None}
    loaded = services_of(ctx).keys.configure_key(session_of(ctx).actor, name, chosen)
    _show(loaded, as_json=as_json)


@click.command("suspend-key")
@click.argument("name")
@click.option("--reason", required=True)
@click.pass_context
def suspend_key(ctx: click.Context, name: str, reason: str) -> None:
    """Take the key NAME out of use everywhere within a second.

    Example: secops --as security-admin kms suspend-key ca-sm2 --reason "leak suspected"
    """
    services_of(ctx).key_control.suspend_key(session_of(ctx).actor, name, reason=reason)
    say(f"{name} is suspended")


@click.command("resume-key")
@click.argument("name")
@click.pass_context
def resume_key(ctx: click.Context, name: str) -> None:
    """Let the suspended key NAME be used again.

    Example: secops --as security-admin kms resume-key ca-sm2
    """
    services_of(ctx).key_control.resume_key(session_of(ctx).actor, name)
    say(f"{name} is active")


@click.command("list-keys")
@json_option
@click.pass_context
def list_keys(ctx: click.Context, *, as_json: bool) -> None:
    """List the keys one may see.

    Example: secops --as security-admin kms list-keys --json
    """
    from kms.service.presenting import list_all  # noqa: PLC0415 - quick --help

    rows = list_all(services_of(ctx).keys, session_of(ctx).actor)
    columns = ("name", "type", "latest_version", "state", "id")
    print_list("Keys", columns, rows, as_json=as_json)


def _read(path: Path, limit: int) -> bytes:
    from secops.kernel.errors import TooLarge  # noqa: PLC0415 - quick --help

    with path.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        msg = f"{path} is larger than {limit} bytes"
        raise TooLarge(msg)
    return content


COMMANDS: Final = (
    create_key,
    grant_key,
    revoke_key_grant,
    sign,
    verify,
    export_public_key,
    rotate_key,
    configure_key,
    suspend_key,
    resume_key,
    list_keys,
)
