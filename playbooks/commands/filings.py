"""``secops playbooks``: duties of an incident declared, reports to authorities entered."""

from __future__ import annotations

from typing import Any

import click

from playbooks.commands.group import group
from playbooks.models.filings import DUTIES
from secops.terminal.instants import instant_or_none
from secops.terminal.output import json_option, print_json
from secops.terminal.session import session_of


@group.command("declare-duty")
@click.argument("incident_id")
@click.argument("duty", type=click.Choice(["defect_report"]))
@json_option
@click.pass_context
def declare_duty(ctx: click.Context, incident_id: str, duty: str, *, as_json: bool) -> None:
    """Say that a defect endangers national security or the public: its 24 hours run.

    Example: secops --as analyst playbooks declare-duty inc_01k9 defect_report
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.documents import filing_document  # noqa: PLC0415

    session = session_of(ctx)
    filing = session.services(PlaybooksServices).filings.declare_duty(
        session.actor, incident_id, duty
    )
    if as_json:
        print_json(filing_document(filing))
    else:
        click.echo(f"{filing.incident_id} {filing.duty}")


@group.command("file-report")
@click.argument("incident_id")
@click.argument("duty", type=click.Choice(list(DUTIES)))
@click.option("--at", "filed_at", metavar="INSTANT", help="When it was sent (RFC 3339); now.")
@click.option("--to", "filed_to", default="", help="The channel: 12387, fax, mail…")
@click.option("--reference", default="", help="The receiver's number.")
@json_option
@click.pass_context
def file_report(ctx: click.Context, /, incident_id: str, **chosen: Any) -> None:
    """Enter that a report went out to the authority; its clock stops.

    Example: secops --as analyst playbooks file-report inc_01k9 first_report --to 12387
    """
    from playbooks.service import NewFiling, PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.incidents.documents import filing_document  # noqa: PLC0415

    filed_at = instant_or_none(chosen["filed_at"], "--at")
    new = NewFiling(chosen["duty"], filed_at, chosen["filed_to"], chosen["reference"])
    session = session_of(ctx)
    filing = session.services(PlaybooksServices).filings.file_report(
        session.actor, incident_id, new
    )
    document = filing_document(filing)
    if chosen["as_json"]:
        print_json(document)
    else:
        click.echo(f"{filing.incident_id} {filing.duty} {document['filed_at']}")
