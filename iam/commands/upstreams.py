"""Identity providers on the command line: propose, approve, list, test, disable."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import click
import orjson

from iam.service import IamServices
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

_MAX_FILE: Final = 65_536
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def _read_file(path: Path) -> dict[str, Any]:
    """Return a configuration of TOML (or JSON by its ending); raise ``Invalid``."""
    content = path.read_bytes()[: _MAX_FILE + 1]
    try:
        if len(content) > _MAX_FILE:
            raise ValueError  # noqa: TRY301 - one refusal
        read = orjson.loads(content) if path.suffix == ".json" else tomllib.loads(content.decode())
    except ValueError as error:
        msg = f"{path} is no TOML or JSON of at most {_MAX_FILE} bytes"
        raise Invalid(msg) from error
    if not isinstance(read, dict):
        msg = f"{path} is no object"
        raise Invalid(msg)
    return read


@click.command("create-upstream")
@click.argument("upstream_id")
@click.argument("file", type=_file)
@click.option("--secret-file", type=_file, help="The shared secret, password or SM4 key (hex).")
@click.pass_context
def create_upstream(
    ctx: click.Context, upstream_id: str, file: Path, secret_file: Path | None
) -> None:
    """Propose an identity provider, or a change of one; a security administrator approves it.

    Example: secops --as system-admin iam create-upstream province province.toml
    --secret-file province.secret
    """
    session = session_of(ctx)
    secret = "" if secret_file is None else secret_file.read_text().strip()
    asked = session.services(IamServices).upstreams.create_upstream(
        session.actor, upstream_id, _read_file(file), secret
    )
    print_json({"request": asked})
    say("it takes effect when a security administrator approves it")


@click.command("approve-upstream")
@click.argument("request_id")
@click.option("--reject", is_flag=True, help="Refuse it instead.")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def approve_upstream(ctx: click.Context, request_id: str, reason: str, *, reject: bool) -> None:
    """Put a proposed provider in force; never one's own proposal.

    Example: secops --as security-admin iam approve-upstream apr_01J9ZK
    """
    session = session_of(ctx)
    session.services(IamServices).upstreams.approve_upstream(
        session.actor, request_id, grant=not reject, reason=reason
    )
    say("rejected" if reject else "in force")


@click.command("list-upstreams")
@json_option
@click.pass_context
def list_upstreams(ctx: click.Context, *, as_json: bool) -> None:
    """List identity providers, and what waits for approval.

    Example: secops --as system-admin iam list-upstreams --json
    """
    session = session_of(ctx)
    service = session.services(IamServices).upstreams
    found = service.list_upstreams(session.actor)
    waiting = service.pending_upstreams(session.actor)
    items = [
        {
            "id": one.plan.id,
            "kind": one.plan.kind,
            "title": one.plan.title,
            "state": one.state,
            "exclusive": one.plan.trust.exclusive,
            "changed_at": to_rfc3339(one.changed_at),
        }
        for one in found
    ]
    requests = [
        {"request": one.proposal.approval_id, "id": one.proposal.upstream_id} for one in waiting
    ]
    if as_json:
        print_json({"items": items, "requests": requests, "next": None})
        return
    rows = [(str(i["id"]), str(i["kind"]), str(i["title"]), str(i["state"])) for i in items]
    rows += [(r["id"], "", r["request"], "waits for approval") for r in requests]
    print_table("Identity providers", ("id", "kind", "title", "state"), rows)


@click.command("test-upstream")
@click.argument("upstream_id")
@json_option
@click.pass_context
def test_upstream(ctx: click.Context, upstream_id: str, *, as_json: bool) -> None:
    """Ask a provider what can be asked without a person; exit 1 if something is wrong.

    Example: secops --as system-admin iam test-upstream province
    """
    session = session_of(ctx)
    checks = session.services(IamServices).upstreams.test_upstream(session.actor, upstream_id)
    if as_json:
        print_json({"checks": [{"what": c.what, "ok": c.ok, "why": c.why} for c in checks]})
    else:
        rows = [(c.what, {True: "ok", False: "wrong", None: "?"}[c.ok], c.why) for c in checks]
        print_table("Checks", ("what", "result", "why"), rows)
    if any(check.ok is False for check in checks):
        ctx.exit(1)


@click.command("disable-upstream")
@click.argument("upstream_id")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def disable_upstream(ctx: click.Context, upstream_id: str, reason: str) -> None:
    """Take an identity provider out of force at once.

    Example: secops --as system-admin iam disable-upstream province --reason "moved"
    """
    session = session_of(ctx)
    session.services(IamServices).upstreams.disable_upstream(session.actor, upstream_id, reason)
    say(f"{upstream_id} is disabled")


COMMANDS: Final = (
    create_upstream,
    approve_upstream,
    list_upstreams,
    test_upstream,
    disable_upstream,
)
