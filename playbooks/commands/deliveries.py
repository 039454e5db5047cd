"""``secops playbooks``: notices, the unit's side; early warnings in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from playbooks.commands.group import group
from playbooks.commands.notices import notices_of, tell_delivery
from playbooks.models.notices import PETITION_KINDS
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_table
from secops.terminal.session import session_of


@group.command("list-received-notices")
@click.option("--state", default="open", show_default=True)
@page_options
@json_option
@click.pass_context
def list_received_notices(ctx: click.Context, /, **chosen: Any) -> None:
    """List what your organisation was notified of, and what it owes.

    Example: secops --as integrator playbooks list-received-notices --json
    """
    from playbooks.service.notices.documents import listed_document  # noqa: PLC0415

    actor, notices = notices_of(ctx)
    wanted = page_request(chosen["limit"], chosen["cursor"])
    page = notices.views.list_deliveries(actor, chosen["state"], wanted)
    documents = [listed_document(each, notices.views.now) for each in page.items]
    if chosen["as_json"]:
        print_json({"items": documents, "next": page.next})
        return
    rows = [
        (
            d["id"],
            d["reference"],
            d["state_zh"],
            " ".join(f"{o['what']} {o['due']}" for o in d["owed"]),
            d["title"],
        )
        for d in documents
    ]
    print_table("收到的通报 Received", ("id", "文号", "状态", "待办", "标题"), rows)


@group.command("show-received-notice")
@click.argument("notice_id")
@click.pass_context
def show_received_notice(ctx: click.Context, notice_id: str) -> None:
    """Show a notice as your unit sees it, as JSON.

    Example: secops --as integrator playbooks show-received-notice ntc_01k9
    """
    from playbooks.service.notices.documents import notice_view_document  # noqa: PLC0415

    actor, notices = notices_of(ctx)
    print_json(notice_view_document(notices.views.show_delivery(actor, notice_id)))


@group.command("receive-notice")
@click.argument("notice_id")
@json_option
@click.pass_context
def receive_notice(ctx: click.Context, notice_id: str, *, as_json: bool) -> None:
    """Sign for a notice.

    Example: secops --as integrator playbooks receive-notice ntc_01k9
    """
    actor, notices = notices_of(ctx)
    tell_delivery(notices.deliveries.receive_notice(actor, notice_id), as_json=as_json)


@group.command("respond-notice")
@click.argument("notice_id")
@click.argument("text")
@json_option
@click.pass_context
def respond_notice(ctx: click.Context, notice_id: str, text: str, *, as_json: bool) -> None:
    """Answer what was found and what will be done.

    Example: secops --as integrator playbooks respond-notice ntc_01k9 "已核实"
    """
    actor, notices = notices_of(ctx)
    tell_delivery(notices.deliveries.respond_notice(actor, notice_id, text), as_json=as_json)


@group.command("add-proof")
@click.argument("notice_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def add_proof(ctx: click.Context, notice_id: str, file: Path, *, as_json: bool) -> None:
    """Hand in a file that proves the rectification (at most 10 MiB).

    Example: secops --as integrator playbooks add-proof ntc_01k9 screenshot.png
    """
    from playbooks.service.notices.deliveries import MAX_PROOF  # noqa: PLC0415
    from playbooks.service.notices.documents import proof_document  # noqa: PLC0415

    actor, notices = notices_of(ctx)
    with file.open("rb") as handle:
        content = handle.read(MAX_PROOF + 1)
    document = proof_document(notices.deliveries.add_proof(actor, notice_id, file.name, content))
    if as_json:
        print_json(document)
    else:
        click.echo(f"{document['id']} SM3 {document['sm3']}")


@group.command("rectify-notice")
@click.argument("notice_id")
@click.argument("text")
@json_option
@click.pass_context
def rectify_notice(ctx: click.Context, notice_id: str, text: str, *, as_json: bool) -> None:
    """Declare a notice's fault put right; takes proof of this round.

    Example: secops --as integrator playbooks rectify-notice ntc_01k9 "口令已更换"
    """
    actor, notices = notices_of(ctx)
    tell_delivery(notices.deliveries.rectify_notice(actor, notice_id, text), as_json=as_json)


@group.command("petition-notice")
@click.argument("notice_id")
@click.argument("kind", type=click.Choice(list(PETITION_KINDS)))
@click.option("--reason", required=True)
@click.option("--days", type=int, default=0, help="Working days of an extension.")
@click.pass_context
def petition_notice(ctx: click.Context, /, notice_id: str, kind: str, **chosen: Any) -> None:
    """Ask for more time, or appeal.

    Example: secops playbooks petition-notice ntc_01k9 extension --days 3 --reason 设备到货晚
    """
    actor, notices = notices_of(ctx)
    petition = notices.deliveries.petition_notice(
        actor, notice_id, kind, chosen["reason"], days=chosen["days"]
    )
    click.echo(f"{petition.id} {petition.state}")


@group.command("warnings-in-force")
@json_option
@click.pass_context
def warnings_in_force(ctx: click.Context, *, as_json: bool) -> None:
    """Print the early warnings that concern your organisation now, the gravest first.

    Example: secops --as staff playbooks warnings-in-force
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help
    from playbooks.service.notices.documents import seen_warning_document  # noqa: PLC0415

    session = session_of(ctx)
    warnings = session.services(PlaybooksServices).notices.warning_views
    documents = [seen_warning_document(each) for each in warnings.warnings_in_force(session.actor)]
    if as_json:
        print_json({"items": documents})
        return
    rows = [(d["colour_zh"], d["title"], d["scope"], d["ends_at"]) for d in documents]
    print_table("预警 Warnings", ("颜色", "标题", "范围", "截止"), rows)
