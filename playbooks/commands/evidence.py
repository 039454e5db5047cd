"""``secops playbooks``: evidence, its custody, and chains verified offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from playbooks.commands.group import group
from secops.terminal.files import read_at_most
from secops.terminal.output import json_option, print_json, say
from secops.terminal.session import session_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_MAX_EXPORT = 64 << 20


@group.command("keep-evidence")
@click.argument("incident_id")
@click.argument("file", type=_FILE)
@click.option("--name", default="", help="Default: the file's name.")
@click.option("--kind", type=click.Choice(["file", "extract"]), default="file", show_default=True)
@click.option("--source", default="", help="Where it comes from.")
@json_option
@click.pass_context
def keep_evidence(ctx: click.Context, /, incident_id: str, file: Path, **chosen: Any) -> None:
    """Keep FILE as evidence of an incident: digests, and the first signed link of custody.

    Example: secops playbooks keep-evidence inc_01k9 auth.log --source "堡垒机"
    """
    from playbooks.models.custody import MAX_EVIDENCE_BYTES, NewEvidence  # noqa: PLC0415
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.work_documents import evidence_document  # noqa: PLC0415

    content = read_at_most(file, MAX_EVIDENCE_BYTES, "an item of evidence")
    session = session_of(ctx)
    new = NewEvidence(
        incident_id=incident_id,
        name=chosen["name"] or file.name,
        content=content,
        kind=chosen["kind"],
        source=chosen["source"],
    )
    item = session.services(PlaybooksServices).locker.keep_evidence(session.actor, new)
    if chosen["as_json"]:
        print_json(evidence_document(item))
    else:
        click.echo(f"{item.id} sha256:{item.sha256} sm3:{item.sm3}")


@group.command("read-evidence")
@click.argument("evidence_id")
@click.option("-o", "--output", required=True, type=_OUT)
@click.pass_context
def read_evidence(ctx: click.Context, evidence_id: str, output: Path) -> None:
    """Write an item of evidence to a file; its digests are checked, the reading is recorded.

    Example: secops playbooks read-evidence evd_01k9 -o auth.log
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    locker = session.services(PlaybooksServices).locker
    _, content = locker.read_evidence(session.actor, evidence_id)
    output.write_bytes(content)
    say(f"{output}: {len(content)} bytes")


@group.command("offer-evidence")
@click.argument("evidence_id")
@click.argument("receiver")
@click.option("--reason", required=True)
@click.pass_context
def offer_evidence(ctx: click.Context, evidence_id: str, receiver: str, reason: str) -> None:
    """Offer evidence that you hold to RECEIVER (account id or name), who must accept it.

    Example: secops playbooks offer-evidence evd_01k9 li --reason "送司法鉴定"
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    custody = session.services(PlaybooksServices).custody
    offer = custody.offer_evidence(session.actor, evidence_id, receiver=receiver, reason=reason)
    click.echo(f"{offer.evidence_id} {offer.receiver}")


@group.command("accept-evidence")
@click.argument("evidence_id")
@click.pass_context
def accept_evidence(ctx: click.Context, evidence_id: str) -> None:
    """Receive evidence that is offered to you; the link of custody is signed.

    Example: secops --as analyst playbooks accept-evidence evd_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    item = session.services(PlaybooksServices).custody.accept_evidence(session.actor, evidence_id)
    click.echo(f"{item.id} {item.links} {item.head}")


@group.command("withdraw-offer")
@click.argument("evidence_id")
@click.pass_context
def withdraw_offer(ctx: click.Context, evidence_id: str) -> None:
    """Take back an offer that you made, or refuse one that was made to you.

    Example: secops playbooks withdraw-offer evd_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    session.services(PlaybooksServices).custody.withdraw_offer(session.actor, evidence_id)


@group.command("export-custody")
@click.argument("incident_id")
@click.option("-o", "--output", required=True, type=_OUT)
@click.pass_context
def export_custody(ctx: click.Context, incident_id: str, output: Path) -> None:
    """Write all chains of custody of an incident, under a signed statement of their ends.

    Example: secops playbooks export-custody inc_01k9 -o custody.json
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    document = session.services(PlaybooksServices).custody.export_custody(
        session.actor, incident_id
    )
    output.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    say(f"{output}: {len(document['chains'])} chains")


@group.command("custody-keys")
@click.option("-o", "--output", required=True, type=_OUT)
@click.pass_context
def custody_keys(ctx: click.Context, output: Path) -> None:
    """Write the public keys that custody is signed by; keep them away from the exports.

    Example: secops playbooks custody-keys -o custody-keys.pem
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    output.write_text(session.services(PlaybooksServices).custody.custody_keys(session.actor))


@group.command("verify-custody")
@click.argument("export", type=_FILE)
@click.option("--keys", required=True, type=_FILE, help="What custody-keys wrote.")
@click.option("--file", "files", multiple=True, type=_FILE, help="Evidence that must be in it.")
@json_option
def verify_custody(export: Path, keys: Path, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Verify an export of custody over files alone: needs nobody and no home. Exit 1 if bad.

    Example: secops playbooks verify-custody custody.json --keys custody-keys.pem --file auth.log
    """
    from playbooks.service.incidents.custody_files import verify_custody_files  # noqa: PLC0415

    exported = read_at_most(export, _MAX_EXPORT, "an export")
    contents = {str(path): path.read_bytes() for path in files}
    verdict = verify_custody_files(exported, keys.read_text(), contents)
    if as_json:
        print_json(verdict)
        return
    click.echo(f"valid, as of {verdict['made_at']}")
    for chain in verdict["evidence"]:
        click.echo(f"  {chain['evidence_id']} {chain['links']} {chain['holder']}")
