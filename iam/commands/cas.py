"""``request-cas-service``, ``list-cas-services``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final, TextIO

import click
import orjson

from iam.models.changes import NewChange
from iam.service import IamServices
from secops.kernel.errors import Invalid
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of


@click.command("request-cas-service")
@click.argument("service")
@click.argument("file", type=click.File())
@click.option("--reason", required=True, help="For who decides, and for the ledger.")
@click.pass_context
def request_cas_service(ctx: click.Context, service: str, file: TextIO, reason: str) -> None:
    """Ask that a CAS service shall look as FILE (JSON) says; another person approves.

    Example: secops --as system-admin iam request-cas-service portal portal.json --reason 接入
    """
    try:
        after: Any = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        msg = "the file is not JSON"
        raise Invalid(msg) from error
    if not isinstance(after, dict):
        msg = "the file holds a JSON object"
        raise Invalid(msg)
    session = session_of(ctx)
    wanted = NewChange("cas.service", f"cas:{service}", after, reason)
    change = session.services(IamServices).power.changes.request_change(session.actor, wanted)
    say(f"another person decides: secops iam approve-change {change.id}")


@click.command("list-cas-services")
@json_option
@click.pass_context
def list_cas_services(ctx: click.Context, *, as_json: bool) -> None:
    """List the services of the CAS server.

    Example: secops --as system-admin iam list-cas-services
    """
    session = session_of(ctx)
    found = session.services(IamServices).cas.list_services(session.actor)
    if as_json:
        print_json({"items": [asdict(one) for one in found], "next": None})
        return
    rows = [(one.id, one.name, one.url, "yes" if one.disabled else "no") for one in found]
    print_table("CAS services", ("id", "name", "address", "disabled"), rows)


COMMANDS: Final = (request_cas_service, list_cas_services)
