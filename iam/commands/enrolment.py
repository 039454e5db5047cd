"""``enrol``: first factors without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import click
import orjson

from iam.models.accounts import DocumentType, IdentityDocument
from iam.service import IamServices
from iam.service.people.enrolment import EnrolmentForm
from secops.kernel.errors import Invalid
from secops.terminal.output import json_option, print_json, say
from secops.terminal.session import session_of

_MAX_FILE: Final = 10_000


def _token(path: Path) -> str:
    try:
        record: Any = orjson.loads(path.read_bytes()[:_MAX_FILE])
    except (orjson.JSONDecodeError, FileNotFoundError) as error:
        msg = f"{path} is no enrolment file"
        raise Invalid(msg) from error
    token = record.get("token") if isinstance(record, dict) else None
    if not isinstance(token, str):
        msg = f"{path} holds no token"
        raise Invalid(msg)
    return token


@click.command("enrol")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--show", is_flag=True, help="Print name and TOTP secret only.")
@click.option("--password-file", type=click.Path(path_type=Path), help="Instead of asking.")
@click.option("--code", help="What the authenticator shows now, instead of asking.")
@click.option("--document-type", type=click.Choice(["cn-id", "passport", "other"]))
@click.option("--document-number", help="Administrators prove who they are.")
@json_option
@click.pass_context
def enrol(ctx: click.Context, /, file: Path, *, show: bool, as_json: bool, **given: Any) -> None:
    """Set password and TOTP of the account an enrolment file belongs to; once.

    Example: secops iam enrol .demo-home/enrolments/system-admin.json
    """
    service = session_of(ctx).services(IamServices).enrolment
    token = _token(file)
    view = service.look(token)
    details = {
        "account": view.account_name,
        "otpauth_uri": view.otpauth_uri,
        "otp_secret": view.otp_secret,
        "needs_document": view.needs_document,
    }
    if show:
        print_json(details)
        return
    if given["code"] is None:
        say(f"Account: {view.account_name}")
        say(f"Add to an authenticator app: {view.otpauth_uri}")
    codes = service.enrol(
        EnrolmentForm(
            token=token,
            password=_password(given["password_file"]),
            code=given["code"] or click.prompt("Code shown by the app", err=True),
            document=_document(given, needed=view.needs_document),
        )
    )
    if as_json:
        print_json({"account": view.account_name, "recovery_codes": list(codes)})
        return
    say("Enrolled. Recovery codes, each usable once; keep them away from this machine:")
    for code in codes:
        click.echo(code)


def _password(path: Path | None) -> str:
    if path is not None:
        return path.read_text(encoding="utf-8").rstrip("\n")
    text: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return text


def _document(given: dict[str, Any], *, needed: bool) -> IdentityDocument | None:
    kind, number = given["document_type"], given["document_number"]
    if not needed or (kind and number):
        return IdentityDocument(kind, number) if kind and number else None
    say("Administrators prove who they are; only a keyed hash of the number is kept.")
    choice = click.Choice(["cn-id", "passport", "other"])
    kind = click.prompt("Document", type=choice, default="cn-id", err=True)
    return IdentityDocument(cast("DocumentType", kind), click.prompt("Number", err=True))


COMMANDS: Final = (enrol,)
