"""``request-client`` and what follows it, ``list-silent-partners``, ``retry-logout``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TextIO

import click
import orjson

from iam.commands.handing import hand_out
from iam.service import IamServices
from iam.service.provider.registration import AskedClient
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of


def _record(asked: AskedClient) -> dict[str, Any]:
    return {
        "request_id": asked.request.id,
        "client_id": asked.request.client_id,
        "status": asked.approval.state,
        "requester": asked.request.requester_id,
        "metadata": orjson.loads(asked.request.metadata),
        "expires_at": to_rfc3339(asked.approval.expires_at),
    }


@click.command("request-client")
@click.argument("metadata", type=click.File())
@click.pass_context
def request_client(ctx: click.Context, metadata: TextIO) -> None:
    """Ask for an application; METADATA is a file of RFC 7591's client metadata.

    Example: secops --as staff iam request-client oa.json
    """
    session = session_of(ctx)
    try:
        given = orjson.loads(metadata.read())
    except orjson.JSONDecodeError as error:
        msg = "the metadata is not JSON"
        raise Invalid(msg) from error
    if not isinstance(given, dict):
        msg = "the metadata is a JSON object"
        raise Invalid(msg)
    asked = session.services(IamServices).registration.request_client(session.actor, given)
    print_json(_record(asked))


@click.command("list-client-requests")
@json_option
@click.pass_context
def list_client_requests(ctx: click.Context, *, as_json: bool) -> None:
    """List applications that wait for an approval.

    Example: secops --as security-admin iam list-client-requests
    """
    session = session_of(ctx)
    found = session.services(IamServices).registration.list_requests(session.actor)
    records = [_record(one) for one in found]
    if as_json:
        print_json({"items": records, "next": None})
        return
    rows = [(r["request_id"], r["client_id"], r["requester"], r["expires_at"]) for r in records]
    print_table("Requests", ("id", "application", "asked by", "until"), rows)


@click.command("approve-client")
@click.argument("request_id")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def approve_client(ctx: click.Context, request_id: str, reason: str, *, reject: bool) -> None:
    """Approve an application that somebody else asked for.

    Example: secops --as security-admin iam approve-client apr_… --reason "contract 12/2026"
    """
    session = session_of(ctx)
    session.services(IamServices).registration.approve_client(
        session.actor, request_id, grant=not reject, reason=reason
    )
    say(f"{request_id} is {'rejected' if reject else 'approved'}")


@click.command("complete-client")
@click.argument("request_id")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where the secret goes.")
@click.pass_context
def complete_client(ctx: click.Context, request_id: str, output: Path | None) -> None:
    """Register an approved application; its secret is shown this once, to who asked.

    Example: secops --as staff iam complete-client apr_… -o oa-registered.json
    """
    session = session_of(ctx)
    services = session.services(IamServices)
    hand_out(services.registration.complete_client(session.actor, request_id), output)


@click.command("list-silent-partners")
@json_option
@click.pass_context
def list_silent_partners(ctx: click.Context, *, as_json: bool) -> None:
    """List applications that have not confirmed that a session ended.

    Example: secops --as security-admin iam list-silent-partners
    """
    session = session_of(ctx)
    asked = page_request("200", None)
    page = session.services(IamServices).logouts.list_silent_partners(session.actor, asked)
    records = [
        {
            "id": notice.id,
            "client": notice.client_id,
            "session": notice.session_id,
            "state": notice.state,
            "tries": notice.tries,
            "trouble": notice.trouble,
            "since": to_rfc3339(notice.created_at),
        }
        for notice in page.items
    ]
    if as_json:
        print_json({"items": records, "next": page.next})
        return
    names = ("id", "client", "state", "tries", "trouble", "since")
    rows = [tuple(str(record[name]) for name in names) for record in records]
    print_table("Silent partners", names, rows)


@click.command("retry-logout")
@click.argument("notice_id")
@click.pass_context
def retry_logout(ctx: click.Context, notice_id: str) -> None:
    """Tell an application again that a session ended, after it was given up.

    Example: secops --as security-admin iam retry-logout lgo_…
    """
    session = session_of(ctx)
    session.services(IamServices).logouts.retry_logout(session.actor, notice_id)
    say(f"{notice_id} is sent again")


COMMANDS: Final = (
    request_client,
    list_client_requests,
    approve_client,
    complete_client,
    list_silent_partners,
    retry_logout,
)
