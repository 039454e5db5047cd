"""``secops kms``: apply-seal, approve-seal, make-seal, use-seal, verify-seal and their lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.seal_files import FILE, OK, OUT, content_of, sm3_of, stamping_of
from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.seals import VerificationReport
    from kms.models.stamps import PdfStandard

_LIMIT: Final = 200
_DOCUMENTS: Final = (".ofd", ".pdf")


@click.command("apply-seal")
@click.argument("name")
@click.option("--shape", type=click.Choice(["round", "oval", "square"]), default="round")
@click.option("--organization", required=True, help="Whose seal it is.")
@click.option("--format-version", type=click.Choice(["4", "5"]), default="4")
@click.option("--holder", "holders", multiple=True, required=True, help="Who may use it.")
@click.option("--code", default="", help="The seal's official number, 13 digits.")
@click.option("--picture", type=FILE, help="The filed picture (PNG); drawn without one.")
@click.option("--origin", type=click.Choice(["local", "remote"]), default="local")
@click.option("--reason", required=True)
@json_option
@click.pass_context
def apply_seal(ctx: click.Context, /, name: str, **options: Any) -> None:
    """Apply for the seal NAME (申请印章); somebody else approves it.

    Example: secops --as seal-applicant kms apply-seal 临江县数据局 --organization 临江县数据局
    --holder seal-holder --reason 公文用印
    """
    from kms.models.seal_registry import SealRequest  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    request = SealRequest(
        name=name,
        shape=options["shape"],
        organization=options["organization"],
        holders=options["holders"],
        reason=options["reason"],
        format_version=4 if options["format_version"] == "4" else 5,
        code=options["code"],
        picture=None if options["picture"] is None else content_of(options["picture"]),
        origin=options["origin"],
    )
    application = services_of(ctx).seal_applications.apply_seal(session.actor, request)
    if options["as_json"]:
        print_json({"id": application.id, "approval": "pending"})
    else:
        click.echo(application.id)


@click.command("approve-seal")
@click.argument("application")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", required=True)
@click.pass_context
def approve_seal(ctx: click.Context, *, application: str, reject: bool, reason: str) -> None:
    """Approve or refuse APPLICATION (审批); never one's own.

    Example: secops --as security-admin kms approve-seal sap_01… --reason 同意
    """
    approval = services_of(ctx).seal_applications.decide_application(
        session_of(ctx).actor, application, grant=not reject, reason=reason
    )
    say(f"{application}: {approval.state}")


@click.command("make-seal")
@click.argument("application")
@click.option("-o", "--output", type=OUT, help="Write the seal (.esl) here.")
@json_option
@click.pass_context
def make_seal(ctx: click.Context, *, application: str, output: Path | None, as_json: bool) -> None:
    """Make the approved seal of APPLICATION (制章) under the built-in test CA.

    Example: secops --as security-admin kms make-seal sap_01… -o seal.esl
    """
    actor, services = session_of(ctx).actor, services_of(ctx)
    record = services.seal_making.make_seal(actor, application)
    if output is not None:
        output.write_bytes(services.seal_registry.show_seal(actor, record.id).content)
    say(f"{record.name}: {record.marking}")
    if as_json:
        print_json({"id": record.id, "sm3": record.digest, "marking": record.marking})
    else:
        click.echo(record.id)


@click.command("list-seals")
@json_option
@click.pass_context
def list_seals(ctx: click.Context, *, as_json: bool) -> None:
    """List the seals of the own organisation.

    Example: secops --as auditor kms list-seals
    """
    from secops.kernel.clock import to_rfc3339  # noqa: PLC0415
    from secops.kernel.pages import PageRequest  # noqa: PLC0415

    page = services_of(ctx).seal_registry.list_seals(session_of(ctx).actor, PageRequest(_LIMIT))
    rows = [
        {
            "id": seal.id,
            "name": seal.name,
            "state": seal.state,
            "valid_until": to_rfc3339(seal.valid_until),
            "marking": seal.marking,
        }
        for seal in page.items
    ]
    if as_json:
        print_json({"items": rows, "next": page.next})
    else:
        columns = ("id", "name", "state", "valid_until", "marking")
        print_table("Seals", columns, [[row[column] for column in columns] for row in rows])


@click.command("list-seal-applications")
@json_option
@click.pass_context
def list_seal_applications(ctx: click.Context, *, as_json: bool) -> None:
    """List applications for seals with their approvals.

    Example: secops --as security-admin kms list-seal-applications
    """
    from secops.kernel.pages import PageRequest  # noqa: PLC0415

    page = services_of(ctx).seal_applications.list_applications(
        session_of(ctx).actor, PageRequest(_LIMIT)
    )
    rows = [
        {
            "id": application.id,
            "name": application.name,
            "approval": approval.state,
            "seal_id": application.seal_id,
        }
        for application, approval in page.items
    ]
    if as_json:
        print_json({"items": rows, "next": page.next})
    else:
        columns = ("id", "name", "approval", "seal_id")
        print_table("Applications", columns, [[row[column] for column in columns] for row in rows])


@click.command("export-seal")
@click.argument("seal")
@click.option("-o", "--output", type=OUT, help="Write the seal (.esl) here.")
@click.option("--picture", type=OUT, help="Write its picture (.png) here.")
@click.pass_context
def export_seal(
    ctx: click.Context, *, seal: str, output: Path | None, picture: Path | None
) -> None:
    """Write SEAL, or its picture, to files.

    Example: secops --as auditor kms export-seal seal_01… --picture seal.png
    """
    details = services_of(ctx).seal_registry.show_seal(session_of(ctx).actor, seal)
    if output is not None:
        output.write_bytes(details.content)
    if picture is not None:
        picture.write_bytes(details.picture)
    say(f"{details.record.name}: {details.record.state}, {details.record.marking}")


@click.command("use-seal")
@click.argument("seal")
@click.argument("file", type=FILE)
@click.option("-o", "--output", type=OUT, required=True, help="Write the value or document here.")
@click.option("--at", "places", multiple=True, metavar="PAGE,X,Y", help="mm; page -1: the last.")
@click.option("--edge", type=float, metavar="Y", help="Across all pages' right edges (骑缝), mm.")
@click.option("--sm2", is_flag=True, help="SM2 in a PDF; common readers don't validate it.")
@click.option(
    "--pades",
    type=click.Choice(["b-b", "b-t", "b-lt", "b-lta"]),
    help="Level of a PDF's signature; default as the instance is set.",
)
@click.option("--rsa", is_flag=True, help="Sign a PDF with RSA-3072 instead of ECDSA P-256.")
@click.option("--class", "document_class", default="", help="Class of the document.")
@click.option("--purpose", default="", help="What for; kept in the usage ledger.")
@json_option
@click.pass_context
def use_seal(ctx: click.Context, /, seal: str, file: Path, **options: Any) -> None:
    """Put SEAL on FILE (用章): into an OFD or PDF, or a SES_Signature beside any file.

    It goes into the document where the output is called .ofd or .pdf; without --at or --edge
    at the lower right of the last page.

    Example: secops --as seal-holder kms use-seal seal_01… notice.ofd -o sealed.ofd --at 1,120,200
    """
    from kms.models.stamps import PadesForm, StampRequest  # noqa: PLC0415 - quick --help

    output: Path = options["output"]
    services, actor, purpose = services_of(ctx), session_of(ctx).actor, options["purpose"]
    stamping = stamping_of(options["places"], options["edge"])
    inside = output.suffix.lower() in _DOCUMENTS
    _require_fitting(inside=inside, options=options)
    if inside:
        standard: PdfStandard = "sm2" if options["sm2"] else "pades"
        wish = StampRequest(
            content_of(file),
            stamping,
            purpose,
            standard,
            options["document_class"],
            pades=PadesForm(options["pades"], "rsa-3072" if options["rsa"] else "ecdsa-p256"),
        )
        stamped = services.seal_stamping.stamp_document(actor, seal, wish)
        content, use = stamped.document, stamped.use
    else:
        sealed = services.seal_using.use_seal(
            actor,
            seal,
            document_digest=sm3_of(file),
            purpose=purpose,
            document_class=options["document_class"],
        )
        content, use = sealed.value, sealed.use
    output.write_bytes(content)
    if options["as_json"]:
        print_json(
            {
                "id": use.id,
                "seal_id": seal,
                "document_sm3": use.digest,
                "form": use.form,
                "leaf_hash": use.leaf_hash,
            }
        )
    else:
        say(f"{file} sealed: {output}")


def _require_fitting(*, inside: bool, options: dict[str, Any]) -> None:
    """Raise ``UsageError`` for options that say nothing about what shall be written."""
    pades = options["pades"] is not None or options["rsa"]
    if not inside and (options["places"] or options["edge"] is not None or options["sm2"] or pades):
        msg = (
            "--at, --edge, --sm2, --pades and --rsa put the seal into a document: "
            "call the output .ofd or .pdf"
        )
        raise click.UsageError(msg)
    if pades and (options["sm2"] or options["output"].suffix.lower() != ".pdf"):
        msg = "--pades and --rsa are about a PDF that is not sealed by --sm2"
        raise click.UsageError(msg)


@click.command("suspend-seal")
@click.argument("seal")
@click.option("--reason", required=True)
@click.pass_context
def suspend_seal(ctx: click.Context, *, seal: str, reason: str) -> None:
    """Stop the use of SEAL at once (停用).

    Example: secops --as security-admin kms suspend-seal seal_01… --reason 用印异常
    """
    services_of(ctx).seal_registry.suspend_seal(session_of(ctx).actor, seal, reason)
    say(f"{seal}: suspended")


@click.command("resume-seal")
@click.argument("seal")
@click.option("--reason", required=True)
@click.pass_context
def resume_seal(ctx: click.Context, *, seal: str, reason: str) -> None:
    """Let a suspended SEAL be used again (恢复).

    Example: secops --as security-admin kms resume-seal seal_01… --reason 核实无误
    """
    services_of(ctx).seal_registry.resume_seal(session_of(ctx).actor, seal, reason)
    say(f"{seal}: active")


@click.command("revoke-seal")
@click.argument("seal")
@click.option("--reason", required=True)
@click.pass_context
def revoke_seal(ctx: click.Context, *, seal: str, reason: str) -> None:
    """End SEAL for good, with its holders' certificates (撤销).

    Example: secops --as security-admin kms revoke-seal seal_01… --reason 单位撤销
    """
    services_of(ctx).seal_registry.revoke_seal(session_of(ctx).actor, seal, reason)
    say(f"{seal}: revoked")


@click.command("verify-seal")
@click.argument("file", type=FILE)
@click.option("--document", type=FILE, help="What a detached value was put on.")
@click.option("--trust", type=FILE, multiple=True, help="Trust anchors (PEM).")
@click.option("--crl", type=FILE, multiple=True, help="Revocation lists of the anchors (DER).")
@click.option("--report", type=OUT, help="Write the verdict here, as a PDF signed by the instance.")
@json_option
@click.pass_context
def verify_seal(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Verify FILE (验章), a .esl, SES_Signature or signed .ofd; exit 1 if it is not valid.

    Anchors are those of --trust and the home's built-in test CA, if there is one. With --report
    somebody must act: the instance signs what it finds under its own anchors alone.

    Example: secops kms verify-seal notice.pdf.dat --document notice.pdf --json
    """
    document: Path | None = options["document"]
    content = content_of(file)
    original = None if document is None else content_of(document)
    report = (
        _judged_by_files(ctx, content, original, options)
        if options["report"] is None
        else _judged_and_signed(ctx, content, original, options)
    )
    if options["as_json"]:
        print_json(report.to_record())
    else:
        _print_report(report)
    if not report.valid:
        ctx.exit(1)


def _judged_by_files(
    ctx: click.Context, content: bytes, document: bytes | None, options: dict[str, Any]
) -> VerificationReport:
    """Return the verdict over files alone: nobody acts, and no database is opened."""
    from kms.service.seals import SealFiles  # noqa: PLC0415 - quick --help

    return (
        session_of(ctx)
        .files(SealFiles)
        .verify_seal(
            content,
            document,
            [content_of(path) for path in options["trust"]],
            [content_of(path) for path in options["crl"]],
        )
    )


def _judged_and_signed(
    ctx: click.Context, content: bytes, document: bytes | None, options: dict[str, Any]
) -> VerificationReport:
    """Return the instance's own verdict, and write its signed PDF."""
    if options["trust"] or options["crl"]:
        msg = "the instance signs what it finds under its own anchors: no --trust, no --crl"
        raise click.UsageError(msg)
    actor = session_of(ctx).actor
    made = services_of(ctx).seal_verdicts.report_verdict(actor, content, document)
    output: Path = options["report"]
    output.write_bytes(made.document)
    return made.report


COMMANDS: Final[tuple[click.Command, ...]] = (
    apply_seal,
    approve_seal,
    make_seal,
    list_seals,
    list_seal_applications,
    export_seal,
    use_seal,
    suspend_seal,
    resume_seal,
    revoke_seal,
    verify_seal,
)
"""What the group ``secops kms`` takes up."""


def _print_report(report: VerificationReport) -> None:
    record = report.to_record()
    for verdict in record["signatures"]:
        title = " · ".join(part for part in (verdict["seal_name"], verdict["signer"]) if part)
        rows = [(step["n"], step["what"], OK[step["ok"]], step["why"]) for step in verdict["steps"]]
        print_table(title, ("n", "step", "ok", "why"), rows)
        for warning in verdict["warnings"]:
            say(warning)
    click.echo("有效 / valid" if record["valid"] else "无效 / NOT valid")
