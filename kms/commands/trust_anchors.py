"""``secops kms``: outside CAs: believed, retired, their lists, and certificates for seals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from kms.commands.certificates import cursor_option, here, limit_option
from kms.commands.seal_files import FILE, OUT, content_of
from secops.terminal.output import json_option, print_json, print_list, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.certificates import OutsideRequest

_MAX_FILE: Final = 8 << 20
_USES: Final = ("seals", "documents", "time_stamps")
_COLUMNS: Final = ("id", "subject", "uses", "state", "approval", "list_next_update")
_holder_options = (
    click.option("--application", help="The application whose holder it is."),
    click.option("--place", type=click.IntRange(0, 19), default=0, help="Its holder, from 0."),
)


@click.command("propose-anchor")
@click.argument("certificate", type=FILE)
@click.option("--use", "uses", type=click.Choice(_USES), multiple=True, required=True)
@click.option("--reason", required=True)
@json_option
@click.pass_context
def propose_anchor(
    ctx: click.Context, *, certificate: Path, uses: Sequence[str], reason: str, as_json: bool
) -> None:
    """Propose the CA's CERTIFICATE as a trust anchor (信任锚); somebody else decides.

    Example: secops --as system-admin kms propose-anchor ca.pem --use seals --reason 省电子认证
    """
    anchor = here(ctx).anchors.propose_anchor(
        session_of(ctx).actor, content_of(certificate, _MAX_FILE), uses, reason
    )
    say(f"{anchor.subject}, SHA-256 {anchor.fingerprint}")
    if as_json:
        print_json({"id": anchor.id, "subject": anchor.subject, "sha256": anchor.fingerprint})
    else:
        click.echo(anchor.id)


@click.command("decide-anchor")
@click.argument("anchor")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", required=True)
@click.pass_context
def decide_anchor(ctx: click.Context, *, anchor: str, reject: bool, reason: str) -> None:
    """Believe ANCHOR from now on, or refuse it; never one's own proposal.

    Example: secops --as security-admin kms decide-anchor anc_01… --reason 指纹核对无误
    """
    here(ctx).anchors.decide_anchor(session_of(ctx).actor, anchor, grant=not reject, reason=reason)
    say(f"{anchor}: {'rejected' if reject else 'active'}")


@click.command("retire-anchor")
@click.argument("anchor")
@click.option("--reason", required=True)
@click.pass_context
def retire_anchor(ctx: click.Context, *, anchor: str, reason: str) -> None:
    """Believe ANCHOR no more, at once.

    Example: secops --as security-admin kms retire-anchor anc_01… --reason 牌照到期
    """
    here(ctx).anchors.retire_anchor(session_of(ctx).actor, anchor, reason)
    say(f"{anchor}: retired")


@click.command("list-anchors")
@limit_option
@cursor_option
@json_option
@click.pass_context
def list_anchors(ctx: click.Context, *, limit: int, cursor: str | None, as_json: bool) -> None:
    """List the outside CAs that are or were believed, with what their lists are good until.

    Example: secops --as auditor kms list-anchors
    """
    from kms.service.certificates.records import anchor_record  # noqa: PLC0415 - quick --help
    from secops.kernel.pages import page_request  # noqa: PLC0415

    page = here(ctx).anchors.list_anchors(session_of(ctx).actor, page_request(str(limit), cursor))
    rows = [anchor_record(entry) for entry in page.items]
    print_list("Trust anchors", _COLUMNS, rows, as_json=as_json, following=page.next)


@click.command("import-revocation-list")
@click.argument("anchor")
@click.argument("crl", type=FILE)
@click.pass_context
def import_revocation_list(ctx: click.Context, *, anchor: str, crl: Path) -> None:
    """Take over ANCHOR's newer revocation list in CRL, PEM or DER (吊销列表).

    Example: secops --as security-admin kms import-revocation-list anc_01… ca.crl
    """
    from secops.kernel.clock import to_rfc3339  # noqa: PLC0415 - quick --help

    found = here(ctx).anchors.import_revocation_list(
        session_of(ctx).actor, anchor, content_of(crl, _MAX_FILE)
    )
    say(f"list {found.number:x}, to be renewed {to_rfc3339(found.next_update)}")


@click.command("export-certificate-request")
@_holder_options[0]
@_holder_options[1]
@click.option("-o", "--output", type=OUT, required=True, help="Write the PKCS#10 (PEM) here.")
@click.pass_context
def export_certificate_request(
    ctx: click.Context, *, application: str | None, place: int, output: Path
) -> None:
    """Write a PKCS#10 for a licensed CA: of the maker's key, or of a holder's.

    Example: secops --as security-admin kms export-certificate-request --application sap_01…
    -o holder.csr
    """
    from kms.service.certificates import to_pem  # noqa: PLC0415 - quick --help

    wanted = _wanted(application, place)
    encoded = here(ctx).outside.export_certificate_request(session_of(ctx).actor, wanted)
    output.write_text(to_pem("CERTIFICATE REQUEST", encoded), encoding="ascii")
    say(f"{wanted.role}: {output}")


@click.command("import-certificate")
@click.argument("certificate", type=FILE)
@_holder_options[0]
@_holder_options[1]
@click.pass_context
def import_certificate(
    ctx: click.Context, *, certificate: Path, application: str | None, place: int
) -> None:
    """Keep the CERTIFICATE that a licensed CA issued for the exported request (导入).

    Example: secops --as security-admin kms import-certificate holder.pem --application sap_01…
    """
    issued = here(ctx).outside.import_certificate(
        session_of(ctx).actor,
        _wanted(application, place),
        content_of(certificate, _MAX_FILE),
    )
    click.echo(issued.id)


COMMANDS: Final[tuple[click.Command, ...]] = (
    propose_anchor,
    decide_anchor,
    retire_anchor,
    list_anchors,
    import_revocation_list,
    export_certificate_request,
    import_certificate,
)
"""What the group ``secops kms`` takes up."""


def _wanted(application: str | None, place: int) -> OutsideRequest:
    from kms.models.certificates import OutsideRequest  # noqa: PLC0415 - quick --help

    if application is None:
        return OutsideRequest("maker")
    return OutsideRequest("holder", application, place)
