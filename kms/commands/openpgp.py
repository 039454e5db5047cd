"""``secops kms``: OpenPGP keys, partners, and exports protected for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.seal_files import FILE, OUT, content_of
from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, print_list, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.openpgp import OpenPgpAlgorithm, OpenPgpKey, Partner
    from secops.kernel.pages import PageRequest

_COLUMNS: Final = ("id", "name", "fingerprint", "algorithm", "state", "expires_at")


@click.command("create-openpgp-key")
@click.argument("name")
@click.argument("email")
@click.option("--algorithm", type=click.Choice(["ed25519", "rsa-3072"]), default="ed25519")
@click.pass_context
def create_openpgp_key(
    ctx: click.Context, *, name: str, email: str, algorithm: OpenPgpAlgorithm
) -> None:
    """Make the OpenPGP key that signs exports from now on, and print its fingerprint.

    Example: secops --as security-admin kms create-openpgp-key 临江县数据局 data@linjiang.gov.cn
    """
    keys, actor = services_of(ctx).openpgp_keys, session_of(ctx).actor
    click.echo(keys.create_openpgp_key(actor, name, email, algorithm).fingerprint)


@click.command("list-openpgp-keys")
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_openpgp_keys(ctx: click.Context, *, cursor: str | None, as_json: bool) -> None:
    """List the organisation's OpenPGP keys; the active one signs.

    Example: secops --as auditor kms list-openpgp-keys
    """
    page = services_of(ctx).openpgp_keys.list_openpgp_keys(session_of(ctx).actor, _page(cursor))
    rows = [_row(key, key.user_id) for key in page.items]
    print_list("OpenPGP keys", _COLUMNS, rows, as_json=as_json, following=page.next)


@click.command("export-openpgp-key")
@click.argument("key")
@click.pass_context
def export_openpgp_key(ctx: click.Context, *, key: str) -> None:
    """Print the public half of KEY (its id), for partners.

    Example: secops --as auditor kms export-openpgp-key pgp_01… > county.asc
    """
    found = services_of(ctx).openpgp_keys.show_openpgp_key(session_of(ctx).actor, key)
    click.echo(found.public_key, nl=False)


@click.command("retire-openpgp-key")
@click.argument("key")
@click.pass_context
def retire_openpgp_key(ctx: click.Context, *, key: str) -> None:
    """Let KEY sign no more.

    Example: secops --as security-admin kms retire-openpgp-key pgp_01…
    """
    services_of(ctx).openpgp_keys.retire_openpgp_key(session_of(ctx).actor, key)
    say(f"{key}: retired")


@click.command("request-partner")
@click.argument("name")
@click.argument("file", type=FILE)
@click.option("--reason", required=True)
@click.pass_context
def request_partner(ctx: click.Context, *, name: str, file: Path, reason: str) -> None:
    """Ask that exports may be encrypted to NAME, whose public key is in FILE.

    Example: secops --as security-admin kms request-partner 市审计局 audit.asc --reason 年度审计
    """
    from kms.models.openpgp import MAX_PARTNER_KEY  # noqa: PLC0415 - quick --help

    content = content_of(file, MAX_PARTNER_KEY)
    partner = services_of(ctx).partners.request_partner(
        session_of(ctx).actor, name, content, reason=reason
    )
    say(f"{partner.fingerprint} {partner.user_id}: somebody else compares and approves it")
    click.echo(partner.id)


@click.command("decide-partner")
@click.argument("partner")
@click.option("--fingerprint", default="", help="What the partner told you, hex; to approve.")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", required=True)
@click.pass_context
def decide_partner(
    ctx: click.Context, *, partner: str, fingerprint: str, reject: bool, reason: str
) -> None:
    """Approve or refuse PARTNER; never one's own. Ask the partner itself for its fingerprint.

    Example: secops --as security-admin kms decide-partner ptn_01… --fingerprint 6533958E…
    --reason 已电话核对指纹
    """
    decided = services_of(ctx).partners.decide_partner(
        session_of(ctx).actor,
        partner,
        grant=not reject,
        reason=reason,
        fingerprint=fingerprint,
    )
    say(f"{partner}: {decided.state}")


@click.command("list-partners")
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_partners(ctx: click.Context, *, cursor: str | None, as_json: bool) -> None:
    """List to whom exports may be encrypted, and who waits for approval.

    Example: secops --as auditor kms list-partners
    """
    page = services_of(ctx).partners.list_partners(session_of(ctx).actor, _page(cursor))
    rows = [_row(partner, partner.name) for partner in page.items]
    print_list("Partners", _COLUMNS, rows, as_json=as_json, following=page.next)


@click.command("retire-partner")
@click.argument("partner")
@click.pass_context
def retire_partner(ctx: click.Context, *, partner: str) -> None:
    """Let nothing be encrypted to PARTNER any more.

    Example: secops --as security-admin kms retire-partner ptn_01…
    """
    services_of(ctx).partners.retire_partner(session_of(ctx).actor, partner)
    say(f"{partner}: retired")


@click.command("protect-export")
@click.argument("file", type=FILE)
@click.option("--partner", "partners", multiple=True, help="To whom; repeatable.")
@click.option("-o", "--output", type=OUT, required=True)
@json_option
@click.pass_context
def protect_export(
    ctx: click.Context, *, file: Path, partners: tuple[str, ...], output: Path, as_json: bool
) -> None:
    """Sign FILE and encrypt it to partners; without --partner write a detached signature.

    Example: secops --as auditor kms protect-export report.pdf --partner 市审计局 -o report.pgp
    """
    from kms.models.openpgp import MAX_EXPORT  # noqa: PLC0415 - quick --help

    content = content_of(file, MAX_EXPORT)
    exports, actor = services_of(ctx).exports, session_of(ctx).actor
    if partners:
        export = exports.protect_export(actor, content, partners)
    else:
        export = exports.sign_export(actor, content)
    output.write_bytes(export.message)
    if as_json:
        print_json(
            {
                "fingerprint": export.fingerprint,
                "partners": list(export.partners),
                "sm3": export.sm3,
                "sha256": export.sha256,
            }
        )
    else:
        say(f"{output}: signed by {export.fingerprint}")


COMMANDS: Final[tuple[click.Command, ...]] = (
    create_openpgp_key,
    list_openpgp_keys,
    export_openpgp_key,
    retire_openpgp_key,
    request_partner,
    decide_partner,
    list_partners,
    retire_partner,
    protect_export,
)
"""What the group ``secops kms`` takes up."""


def _page(cursor: str | None) -> PageRequest:
    from secops.kernel.pages import page_request  # noqa: PLC0415

    return page_request("200", cursor)


def _row(found: OpenPgpKey | Partner, name: str) -> dict[str, Any]:
    from secops.kernel.clock import rfc3339_or_none  # noqa: PLC0415

    return {
        "id": found.id,
        "name": name,
        "fingerprint": found.fingerprint,
        "algorithm": found.algorithm,
        "state": found.state,
        "expires_at": rfc3339_or_none(found.expires_at),
    }
