"""Legal persons and the mandates of their agents."""

from __future__ import annotations

from typing import Any, Final

import click

from iam.models.accounts import Mandate
from iam.service import IamServices
from iam.service.people.mandates import NewMandate
from secops.kernel.clock import to_rfc3339
from secops.terminal.instants import instant
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of


def _record(mandate: Mandate) -> dict[str, Any]:
    return {
        "id": mandate.id,
        "agent": mandate.agent_id,
        "scope": mandate.scope,
        "services": list(mandate.services),
        "seals": list(mandate.seals),
        "from": to_rfc3339(mandate.starts_at),
        "to": to_rfc3339(mandate.ends_at),
    }


@click.command("create-legal-person")
@click.argument("credit_code")
@click.argument("name")
@click.option("--representative", help="The account of its legal representative.")
@click.pass_context
def create_legal_person(
    ctx: click.Context, credit_code: str, name: str, representative: str | None
) -> None:
    """Register a legal person by its unified social credit code; print its id.

    Example: secops --as system-admin iam create-legal-person 91350100M000100Y43 示例公司
    """
    session = session_of(ctx)
    made = session.services(IamServices).power.mandates.create_legal_person(
        session.actor, credit_code, name, representative
    )
    print_json({"id": made.id, "credit_code": made.credit_code, "name": made.name})


@click.command("grant-mandate")
@click.argument("legal_person")
@click.argument("agent")
@click.option("--scope", required=True, help="What it is about, in words.")
@click.option("--service", multiple=True, help="An application it covers; repeatable.")
@click.option("--seal", multiple=True, help="A seal it covers; repeatable.")
@click.option("--from", "starts_at", metavar="TIME", required=True, help="RFC 3339.")
@click.option("--to", "ends_at", metavar="TIME", required=True, help="RFC 3339.")
@click.option("--own", is_flag=True, help="You are the legal representative yourself.")
@click.pass_context
def grant_mandate(
    ctx: click.Context, /, legal_person: str, agent: str, *, own: bool, **given: Any
) -> None:
    """Grant that an agent may act for a legal person; the key pool signs it.

    Example: secops --as system-admin iam grant-mandate leg_01k… li.lei --scope 年度申报
    --service oa --from 2026-01-01T00:00:00Z --to 2026-12-31T00:00:00Z
    """
    session = session_of(ctx)
    new = NewMandate(
        legal_person_id=legal_person,
        agent=agent,
        scope=given["scope"],
        starts_at=instant(given["starts_at"], "--from"),
        ends_at=instant(given["ends_at"], "--to"),
        services=given["service"],
        seals=given["seal"],
    )
    mandates = session.services(IamServices).power.mandates
    grant = mandates.grant_own_mandate if own else mandates.grant_mandate
    print_json(_record(grant(session.actor, new)))


@click.command("list-mandates")
@click.argument("legal_person")
@json_option
@click.pass_context
def list_mandates(ctx: click.Context, legal_person: str, *, as_json: bool) -> None:
    """List the mandates of a legal person that hold now.

    Example: secops --as auditor iam list-mandates leg_01k…
    """
    session = session_of(ctx)
    found = session.services(IamServices).power.mandates.list_mandates(session.actor, legal_person)
    records = [_record(each) for each in found]
    if as_json:
        print_json({"items": records, "next": None})
        return
    names = ("id", "agent", "scope", "from", "to")
    print_table("Mandates", names, [[record[name] for name in names] for record in records])


@click.command("revoke-mandate")
@click.argument("mandate")
@click.pass_context
def revoke_mandate(ctx: click.Context, mandate: str) -> None:
    """End a mandate everywhere within a second.

    Example: secops --as system-admin iam revoke-mandate man_01k…
    """
    session = session_of(ctx)
    session.services(IamServices).power.mandates.revoke_mandate(session.actor, mandate)
    say(f"{mandate} has ended")


COMMANDS: Final = (create_legal_person, grant_mandate, list_mandates, revoke_mandate)
