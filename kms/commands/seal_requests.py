"""``secops kms``: what takes a second person for seals, and receipts of their uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.seal_files import FILE, OUT, content_of, sm3_of, stamping_of
from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.seal_registry import UseForm

_LIMIT: Final = 200
_NOT_YET: Final = 1


@click.command("request-seal-use")
@click.argument("seal")
@click.argument("file", type=FILE)
@click.option("--inside", is_flag=True, help="Into the OFD or PDF, not beside the file.")
@click.option("--at", "places", multiple=True, metavar="PAGE,X,Y", help="mm; page -1: the last.")
@click.option("--edge", type=float, metavar="Y", help="Across all pages' right edges (骑缝), mm.")
@click.option("--sm2", is_flag=True, help="SM2 in a PDF; common readers don't validate it.")
@click.option("--class", "document_class", default="", help="Class of the document.")
@click.option("--purpose", required=True, help="What for; the approver reads it.")
@click.option("--digest-only", is_flag=True, help="Send the file's SM3 and name, not the file.")
@json_option
@click.pass_context
def request_seal_use(ctx: click.Context, /, seal: str, file: Path, **options: Any) -> None:
    """Ask another person to approve one use of SEAL on FILE (用章申请).

    Example: secops --as seal-holder kms request-seal-use seal_01… notice.ofd --inside
    --at 1,120,200 --class 公文 --purpose 印发通知
    """
    from kms.models.seal_requests import SealUseWish  # noqa: PLC0415 - quick --help

    wish = SealUseWish(
        seal_id=seal,
        digest=sm3_of(file),
        file_name=file.name,
        form=_form(file, inside=options["inside"], sm2=options["sm2"]),
        purpose=options["purpose"],
        stamping=stamping_of(options["places"], options["edge"]),
        document_class=options["document_class"],
        document=None if options["digest_only"] else content_of(file),
    )
    made = services_of(ctx).seal_use_requests.request_seal_use(session_of(ctx).actor, wish)
    if options["as_json"]:
        print_json({"id": made.id, "document_sm3": made.digest, "approval": "pending"})
    else:
        click.echo(made.id)


@click.command("approve-seal-use")
@click.argument("request")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", required=True)
@click.pass_context
def approve_seal_use(ctx: click.Context, *, request: str, reject: bool, reason: str) -> None:
    """Approve or refuse one use of a seal; never one's own, by whichever account.

    Example: secops --as security-admin kms approve-seal-use sur_01… --reason 已核对文件
    """
    approval = services_of(ctx).seal_use_requests.decide_seal_use(
        session_of(ctx).actor, request, grant=not reject, reason=reason
    )
    say(f"{request}: {approval.state}")


@click.command("list-seal-use-requests")
@json_option
@click.pass_context
def list_seal_use_requests(ctx: click.Context, *, as_json: bool) -> None:
    """List requests for single uses with the digest of what shall be sealed.

    Example: secops --as security-admin kms list-seal-use-requests
    """
    from secops.kernel.pages import PageRequest  # noqa: PLC0415

    page = services_of(ctx).seal_use_requests.list_seal_use_requests(
        session_of(ctx).actor, PageRequest(_LIMIT)
    )
    rows = [
        {
            "id": each.id,
            "seal_id": each.seal_id,
            "file_name": each.file_name,
            "document_sm3": each.digest,
            "purpose": each.purpose,
            "requester": each.requester,
            "approval": approval.state,
        }
        for each, approval in page.items
    ]
    if as_json:
        print_json({"items": rows, "next": page.next})
    else:
        columns = ("id", "file_name", "document_sm3", "purpose", "requester", "approval")
        print_table("Requests", columns, [[row[column] for column in columns] for row in rows])


@click.command("read-requested-document")
@click.argument("request")
@click.option("-o", "--output", type=OUT, required=True)
@click.pass_context
def read_requested_document(ctx: click.Context, *, request: str, output: Path) -> None:
    """Write the file that REQUEST is about, to look at it before deciding; it is recorded.

    Example: secops --as security-admin kms read-requested-document sur_01… -o notice.ofd
    """
    found = services_of(ctx).seal_use_requests.read_requested_document(
        session_of(ctx).actor, request
    )
    output.write_bytes(found.content)
    say(f"{output}: SM3 {found.request.digest}")


@click.command("use-approved-seal")
@click.argument("request")
@click.argument("file", type=FILE, required=False)
@click.option("-o", "--output", type=OUT, required=True, help="Write the value or document here.")
@json_option
@click.pass_context
def use_approved_seal(
    ctx: click.Context, *, request: str, file: Path | None, output: Path, as_json: bool
) -> None:
    """Seal what REQUEST was approved for, once: FILE, or the file that was kept.

    Example: secops --as seal-holder kms use-approved-seal sur_01… -o sealed.ofd
    """
    from kms.models.seal_registry import SealedValue  # noqa: PLC0415 - quick --help

    sealed = services_of(ctx).seal_use_requests.use_approved_seal(
        session_of(ctx).actor, request, None if file is None else content_of(file)
    )
    content = sealed.value if isinstance(sealed, SealedValue) else sealed.document
    output.write_bytes(content)
    use = sealed.use
    if as_json:
        print_json({"id": use.id, "seal_id": use.seal_id, "leaf_hash": use.leaf_hash})
    else:
        say(f"{output}: sealed, receipt: secops kms show-receipt {use.id}")


@click.command("show-receipt")
@click.argument("use")
@click.option("-o", "--output", type=OUT, help="Write the receipt (JSON) here.")
@click.pass_context
def show_receipt(ctx: click.Context, *, use: str, output: Path | None) -> None:
    """Show the receipt of USE, an entry of the usage ledger, with its inclusion proofs.

    tools/verify_receipt.py judges it offline. Exit 1 while no checkpoint covers the entry.

    Example: secops --as seal-holder kms show-receipt use_01… -o use.receipt.json
    """
    import json  # noqa: PLC0415

    from kms.service.seals.receipts import receipt_record  # noqa: PLC0415 - quick --help

    receipt = services_of(ctx).seal_receipts.show_receipt(session_of(ctx).actor, use)
    record = receipt_record(receipt)
    if output is None:
        print_json(record)
    else:
        output.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", "utf-8")
        say(f"{output}: leaf {receipt.use.leaf_hash}")
    if receipt.proof is None:
        say("no checkpoint covers the entry yet: ask again in a second")
        ctx.exit(_NOT_YET)


@click.command("request-seal-destruction")
@click.argument("seal")
@click.option("--reason", required=True)
@click.pass_context
def request_seal_destruction(ctx: click.Context, *, seal: str, reason: str) -> None:
    """Ask for the revoked SEAL and its holders' keys to be destroyed (销毁).

    Example: secops --as security-admin kms request-seal-destruction seal_01… --reason 单位撤销
    """
    services = services_of(ctx)
    services.seal_destruction.request_seal_destruction(session_of(ctx).actor, seal, reason)
    say(f"{seal}: another person approves it")


@click.command("approve-seal-destruction")
@click.argument("seal")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", required=True)
@click.pass_context
def approve_seal_destruction(ctx: click.Context, *, seal: str, reject: bool, reason: str) -> None:
    """Destroy SEAL as another person asked; its keys are gone for good.

    Example: secops --as security-admin kms approve-seal-destruction seal_01… --reason 同意
    """
    approval = services_of(ctx).seal_destruction.decide_seal_destruction(
        session_of(ctx).actor, seal, grant=not reject, reason=reason
    )
    say(f"{seal}: {'destroyed' if approval.state == 'used' else approval.state}")


COMMANDS: Final[tuple[click.Command, ...]] = (
    request_seal_use,
    approve_seal_use,
    list_seal_use_requests,
    read_requested_document,
    use_approved_seal,
    show_receipt,
    request_seal_destruction,
    approve_seal_destruction,
)
"""What the group ``secops kms`` takes up."""


def _form(file: Path, *, inside: bool, sm2: bool) -> UseForm:
    if not inside:
        return "detached"
    if file.suffix.lower() == ".ofd":
        return "ofd"
    return "pdf_sm2" if sm2 else "pdf"
