"""``secops playbooks``: notices, the issuer's side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from playbooks.commands.group import group
from playbooks.models.notices import NOTICE_SEVERITIES, Content
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_table, say
from secops.terminal.session import session_of

if TYPE_CHECKING:  # --help stays quick
    from playbooks.models.notices import Delivery, Notice
    from playbooks.service.notices import NoticeServices
    from secops.kernel.actors import Actor


def notices_of(ctx: click.Context) -> tuple[Actor, NoticeServices]:
    """Return who acts and the services of notices."""
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    return session.actor, session.services(PlaybooksServices).notices


def tell_notice(notice: Notice, *, as_json: bool) -> None:
    """Print a notice as JSON, or its id, number and state."""
    from playbooks.service.notices.documents import notice_document  # noqa: PLC0415

    document = notice_document(notice)
    if as_json:
        print_json(document)
    else:
        click.echo(" ".join((notice.id, notice.reference or "-", document["state_zh"])))


def tell_delivery(delivery: Delivery, *, as_json: bool) -> None:
    """Print a delivery as JSON, or its notice, unit and state."""
    from playbooks.service.notices.documents import delivery_document  # noqa: PLC0415

    document = delivery_document(delivery)
    if as_json:
        print_json(document)
    else:
        click.echo(f"{delivery.notice_id} {delivery.org_id} {document['state_zh']}")


@group.command("draft-notice")
@click.option("--title", required=True)
@click.option("--body", required=True, help="Its paragraphs, a line each.")
@click.option("--severity", type=click.Choice(list(NOTICE_SEVERITIES)), default="medium")
@click.option("--urgent", is_flag=True, help="To be received within 2 hours, not 24.")
@click.option("--unit", "units", multiple=True, required=True, help="An organisation's id.")
@click.option("--check", default="", help="detector:RULE or control:STANDARD:LEVEL:ITEM.")
@click.option("--incident", "incident_id", default="", metavar="ID")
@json_option
@click.pass_context
def draft_notice(ctx: click.Context, /, *, as_json: bool, **chosen: Any) -> None:
    """Draft a notice to organisations of yours.

    Example: secops --as analyst playbooks draft-notice --title T --body B --unit org_01k9
    """
    actor, notices = notices_of(ctx)
    content = Content(**{**chosen, "units": tuple(chosen["units"])})
    tell_notice(notices.drafting.draft_notice(actor, content), as_json=as_json)


@group.command("list-notices")
@click.option("--state", default="")
@page_options
@json_option
@click.pass_context
def list_notices(ctx: click.Context, /, **chosen: Any) -> None:
    """List your organisation's notices, newest first.

    Example: secops playbooks list-notices --state issued --json
    """
    from playbooks.service.notices.documents import notice_document  # noqa: PLC0415

    actor, notices = notices_of(ctx)
    page = notices.views.list_notices(
        actor, chosen["state"], page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [notice_document(notice) for notice in page.items]
    if chosen["as_json"]:
        print_json({"items": documents, "next": page.next})
        return
    rows = [(d["id"], d["reference"], d["state_zh"], d["severity"], d["title"]) for d in documents]
    print_table("通报 Notices", ("id", "文号", "状态", "级别", "标题"), rows)


@group.command("show-notice")
@click.argument("notice_id")
@click.pass_context
def show_notice(ctx: click.Context, notice_id: str) -> None:
    """Show a notice with all its units, as JSON.

    Example: secops playbooks show-notice ntc_01k9
    """
    from playbooks.service.notices.documents import notice_view_document  # noqa: PLC0415

    actor, notices = notices_of(ctx)
    print_json(notice_view_document(notices.views.show_notice(actor, notice_id)))


@group.command("submit-notice")
@click.argument("notice_id")
@json_option
@click.pass_context
def submit_notice(ctx: click.Context, notice_id: str, *, as_json: bool) -> None:
    """Submit a draft for review.

    Example: secops --as analyst playbooks submit-notice ntc_01k9
    """
    actor, notices = notices_of(ctx)
    tell_notice(notices.drafting.submit_notice(actor, notice_id), as_json=as_json)


@group.command("recall-notice")
@click.argument("notice_id")
@json_option
@click.pass_context
def recall_notice(ctx: click.Context, notice_id: str, *, as_json: bool) -> None:
    """Take a notice back from review, or before it was sealed.

    Example: secops --as analyst playbooks recall-notice ntc_01k9
    """
    actor, notices = notices_of(ctx)
    tell_notice(notices.drafting.recall_notice(actor, notice_id), as_json=as_json)


@group.command("archive-notice")
@click.argument("notice_id")
@json_option
@click.pass_context
def archive_notice(ctx: click.Context, notice_id: str, *, as_json: bool) -> None:
    """File a notice whose units are all done.

    Example: secops --as analyst playbooks archive-notice ntc_01k9
    """
    actor, notices = notices_of(ctx)
    tell_notice(notices.drafting.archive_notice(actor, notice_id), as_json=as_json)


@group.command("withdraw-notice")
@click.argument("notice_id")
@click.option("--reason", required=True)
@json_option
@click.pass_context
def withdraw_notice(ctx: click.Context, notice_id: str, reason: str, *, as_json: bool) -> None:
    """Withdraw a notice; one that was issued takes who may approve.

    Example: secops --as security-admin playbooks withdraw-notice ntc_01k9 --reason 误发
    """
    actor, notices = notices_of(ctx)
    tell_notice(notices.drafting.withdraw_notice(actor, notice_id, reason), as_json=as_json)


@group.command("decide-notice")
@click.argument("notice_id")
@click.argument("digest")
@click.option("--grant/--return", "grant", required=True)
@click.option("--reason", default="")
@json_option
@click.pass_context
def decide_notice(ctx: click.Context, /, notice_id: str, digest: str, **chosen: Any) -> None:
    """Approve the content that DIGEST names (show-notice prints it), or return it.

    Example: secops --as security-admin playbooks decide-notice ntc_01k9 3fa9… --grant
    """
    actor, notices = notices_of(ctx)
    decided = notices.issuing.decide_notice(
        actor, notice_id, digest, grant=chosen["grant"], reason=chosen["reason"]
    )
    tell_notice(decided, as_json=chosen["as_json"])


@group.command("issue-notice")
@click.argument("notice_id")
@click.option("--seal", default="", help="Needed only where you hold several.")
@json_option
@click.pass_context
def issue_notice(ctx: click.Context, notice_id: str, seal: str, *, as_json: bool) -> None:
    """Give an approved notice its number, seal and issue it.

    Example: secops --as seal-holder playbooks issue-notice ntc_01k9
    """
    actor, notices = notices_of(ctx)
    tell_notice(notices.issuing.issue_notice(actor, notice_id, seal), as_json=as_json)


@group.command("read-notice-file")
@click.argument("notice_id")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def read_notice_file(ctx: click.Context, notice_id: str, output: Path) -> None:
    """Write the sealed PDF to a file; ``kms verify-seal`` verifies it.

    Example: secops playbooks read-notice-file ntc_01k9 -o notice.pdf
    """
    actor, notices = notices_of(ctx)
    content = notices.issuing.read_notice_file(actor, notice_id)
    output.write_bytes(content)
    say(f"{output}: {len(content)} bytes")


@group.command("verify-notice")
@click.argument("notice_id")
@click.argument("unit_id")
@click.argument("verdict", type=click.Choice(["close", "return"]))
@click.option("--reason", required=True)
@json_option
@click.pass_context
def verify_notice(ctx: click.Context, /, notice_id: str, unit_id: str, **chosen: Any) -> None:
    """Close a unit's rectification or return it; what the notice names is run again first.

    Example: secops --as auditor playbooks verify-notice ntc_01k9 org_01k9 close --reason 属实
    """
    actor, notices = notices_of(ctx)
    delivery = notices.verifying.verify_notice(
        actor, notice_id, unit_id, chosen["verdict"], chosen["reason"]
    )
    tell_delivery(delivery, as_json=chosen["as_json"])


@group.command("decide-petition")
@click.argument("notice_id")
@click.argument("petition_id")
@click.option("--grant/--refuse", "grant", required=True)
@click.option("--reason", required=True)
@click.pass_context
def decide_petition(ctx: click.Context, /, notice_id: str, petition_id: str, **chosen: Any) -> None:
    """Answer what a unit asked for: more time, or to be let off.

    Example: secops --as security-admin playbooks decide-petition ntc_1 pet_1 --grant --reason 同意
    """
    actor, notices = notices_of(ctx)
    petition = notices.verifying.decide_petition(
        actor, notice_id, petition_id, grant=chosen["grant"], reason=chosen["reason"]
    )
    click.echo(f"{petition.id} {petition.state}")


@group.command("score-units")
@click.argument("year", type=int)
@json_option
@click.pass_context
def score_units(ctx: click.Context, year: int, *, as_json: bool) -> None:
    """Print how units did in a year (考核), and the formula.

    Example: secops playbooks score-units 2026
    """
    from playbooks.service.notices.documents import scores_document  # noqa: PLC0415

    actor, notices = notices_of(ctx)
    document = scores_document(*notices.views.score_units(actor, year))
    if as_json:
        print_json(document)
        return
    rows = [
        (d["name"], f"{d['score'] / 10:.1f}", f"{d['in_time']}/{d['owed']}", str(d["returned"]))
        for d in document["items"]
    ]
    print_table("考核 Scores", ("单位", "得分", "按时", "退回"), rows)
    say(document["formula"]["zh"])
