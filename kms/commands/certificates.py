"""``secops kms``: certificates under the built-in CA: asked for, decided, issued, revoked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.seal_files import FILE, OUT, content_of
from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, print_list, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.service.certificates import CertificateServices

_MAX_REQUEST: Final = 1 << 20
_COLUMNS: Final = ("id", "kind", "subject", "not_after", "revoked_at")
_REQUEST_COLUMNS: Final = ("id", "profile", "common_name", "key_algorithm", "approval", "state")
_PROFILES: Final = ("document_signing", "tls_server", "tls_client", "sm2_signing")
_REASONS: Final = (
    "unspecified",
    "key_compromise",
    "affiliation_changed",
    "superseded",
    "cessation_of_operation",
    "privilege_withdrawn",
)
_STATES: Final = {"valid": False, "revoked": True}
limit_option = click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
cursor_option = click.option("--cursor", help="Where the page before ended.")


@click.command("request-certificate")
@click.argument("csr", type=FILE)
@click.option("--profile", type=click.Choice(_PROFILES), required=True, help="What it is for.")
@click.option("--organization", default="", help="Instead of the one in the CSR.")
@click.option("--renews", metavar="CERTIFICATE", help="The certificate that it follows.")
@click.option("--reason", required=True)
@json_option
@click.pass_context
def request_certificate(ctx: click.Context, /, csr: Path, **options: Any) -> None:
    """Ask for a certificate with the PKCS#10 in CSR, PEM or DER (申请证书).

    Somebody else decides. Of the CSR only the key and the checked names count.

    Example: secops --as integrator kms request-certificate web.csr --profile tls_server
    --reason 办事大厅
    """
    from kms.models.certificates import CertificateWish  # noqa: PLC0415 - quick --help
    from kms.service.certificates import read_one  # noqa: PLC0415
    from kms.service.certificates.records import request_record  # noqa: PLC0415

    wish = CertificateWish(
        profile=options["profile"],
        csr=read_one(content_of(csr, _MAX_REQUEST), "CERTIFICATE REQUEST"),
        reason=options["reason"],
        organization=options["organization"],
        renews=options["renews"],
    )
    found = here(ctx).requests.request_certificate(session_of(ctx).actor, wish)
    if found.ignored:
        say(f"not taken over from the CSR: {', '.join(found.ignored)}")
    if options["as_json"]:
        print_json(request_record(found, None))
    else:
        click.echo(found.id)


@click.command("list-certificate-requests")
@limit_option
@cursor_option
@json_option
@click.pass_context
def list_certificate_requests(
    ctx: click.Context, *, limit: int, cursor: str | None, as_json: bool
) -> None:
    """List what was asked for, with its approval.

    Example: secops --as security-admin kms list-certificate-requests
    """
    from kms.service.certificates.records import request_record  # noqa: PLC0415 - quick --help
    from secops.kernel.pages import page_request  # noqa: PLC0415

    page = here(ctx).requests.list_certificate_requests(
        session_of(ctx).actor, page_request(str(limit), cursor)
    )
    rows = [request_record(*pair) for pair in page.items]
    print_list("Requests", _REQUEST_COLUMNS, rows, as_json=as_json, following=page.next)


@click.command("show-certificate-request")
@click.argument("request")
@click.pass_context
def show_certificate_request(ctx: click.Context, *, request: str) -> None:
    """Show exactly what would be certified: subject, names, key, profile; as JSON.

    Example: secops --as security-admin kms show-certificate-request crq_01…
    """
    from kms.service.certificates.records import request_record  # noqa: PLC0415 - quick --help

    found = here(ctx).requests.show_certificate_request(session_of(ctx).actor, request)
    print_json(request_record(*found))


@click.command("decide-certificate-request")
@click.argument("request")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", required=True)
@click.pass_context
def decide_certificate_request(
    ctx: click.Context, *, request: str, reject: bool, reason: str
) -> None:
    """Approve or refuse REQUEST (审批); never one's own.

    Example: secops --as security-admin kms decide-certificate-request crq_01… --reason 同意
    """
    approval = here(ctx).requests.decide_certificate_request(
        session_of(ctx).actor, request, grant=not reject, reason=reason
    )
    say(f"{request}: {approval.state}")


@click.command("issue-certificate")
@click.argument("request")
@click.option("-o", "--output", type=OUT, help="Write the certificate (PEM) here.")
@json_option
@click.pass_context
def issue_certificate(
    ctx: click.Context, *, request: str, output: Path | None, as_json: bool
) -> None:
    """Issue the approved certificate of REQUEST (签发), for SM2 signing a pair (双证书).

    Example: secops --as security-admin kms issue-certificate crq_01… -o web.pem
    """
    issued = here(ctx).issuing.issue_certificate(session_of(ctx).actor, request)
    _show(ctx, issued.id, output, as_json=as_json)


@click.command("list-certificates")
@click.option("--search", default="", help="Part of the subject, or how the serial begins.")
@click.option("--kind", default="", help="tls_server, signer, maker …")
@click.option("--state", type=click.Choice(list(_STATES)), help="Only these.")
@limit_option
@cursor_option
@json_option
@click.pass_context
def list_certificates(ctx: click.Context, /, **options: Any) -> None:
    """List the organisation's certificates, newest first.

    Example: secops --as auditor kms list-certificates --kind tls_server --state valid
    """
    from kms.models.certificates import CertificateFilter  # noqa: PLC0415 - quick --help
    from kms.service.certificates.records import certificate_record  # noqa: PLC0415
    from secops.kernel.pages import page_request  # noqa: PLC0415

    state = options["state"]
    wanted = CertificateFilter(
        options["search"], options["kind"], None if state is None else _STATES[state]
    )
    page = here(ctx).registry.list_certificates(
        session_of(ctx).actor, wanted, page_request(str(options["limit"]), options["cursor"])
    )
    rows = [certificate_record(each) for each in page.items]
    print_list("Certificates", _COLUMNS, rows, as_json=options["as_json"], following=page.next)


@click.command("show-certificate")
@click.argument("certificate")
@click.option("-o", "--output", type=OUT, help="Write it (PEM) here, with its issuer behind.")
@json_option
@click.pass_context
def show_certificate(
    ctx: click.Context, *, certificate: str, output: Path | None, as_json: bool
) -> None:
    """Show CERTIFICATE, or write it to a file.

    Example: secops --as integrator kms show-certificate cert_01… -o web.pem
    """
    _show(ctx, certificate, output, as_json=as_json)


@click.command("revoke-certificate")
@click.argument("certificate")
@click.option("--reason", type=click.Choice(_REASONS), required=True)
@click.pass_context
def revoke_certificate(ctx: click.Context, *, certificate: str, reason: str) -> None:
    """End CERTIFICATE for good, at once, with the other one of an SM2 pair (吊销).

    Example: secops --as integrator kms revoke-certificate cert_01… --reason key_compromise
    """
    here(ctx).registry.revoke_certificate(session_of(ctx).actor, certificate, reason)
    say(f"{certificate}: revoked")


COMMANDS: Final[tuple[click.Command, ...]] = (
    request_certificate,
    list_certificate_requests,
    show_certificate_request,
    decide_certificate_request,
    issue_certificate,
    list_certificates,
    show_certificate,
    revoke_certificate,
)
"""What the group ``secops kms`` takes up."""


def here(ctx: click.Context) -> CertificateServices:
    """Return the services of certificates."""
    return services_of(ctx).certificates


def _show(ctx: click.Context, certificate_id: str, output: Path | None, *, as_json: bool) -> None:
    from kms.service.certificates.records import details_record  # noqa: PLC0415 - quick --help

    details = here(ctx).registry.show_certificate(session_of(ctx).actor, certificate_id)
    record = details_record(details)
    if output is not None:
        output.write_text("".join((record["pem"], *record["chain"])), encoding="ascii")
        say(f"{record['subject']}: {output}")
    if as_json:
        print_json(record)
    elif output is None:
        click.echo(record["pem"], nl=False)
