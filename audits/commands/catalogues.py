"""``secops audits``: what standards ask."""

from __future__ import annotations

from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import standard
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_json, print_list, print_table
from secops.terminal.session import session_of


def _catalogues(ctx: click.Context) -> Any:
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    return session_of(ctx).services(AuditsServices).catalogues


@group.command("list-items")
@standard
@click.option("--level", type=click.IntRange(1, 4), default=None, help="Default: any level.")
@click.option(
    "--extension",
    "extensions",
    multiple=True,
    type=click.Choice(["cloud", "mobile", "iot", "ics"]),
    help="An extension to list as well.",
)
@click.option("--class", "class_code", default="", help="A class such as CES.")
@click.option("--assess", type=click.Choice(["auto", "semi", "manual"]), default=None)
@page_options
@json_option
@click.pass_context
def list_items(ctx: click.Context, /, **chosen: Any) -> None:
    """List what a standard asks, in its order.

    Example: secops audits list-items --level 3 --class CES --assess auto
    """
    from audits.models.catalogue import ItemFilter  # noqa: PLC0415 - quick --help
    from audits.service.catalogues.documents import item_document  # noqa: PLC0415

    wanted = ItemFilter(
        standard=chosen["standard"],
        level=chosen["level"] or 0,
        extensions=chosen["extensions"],
        class_code=chosen["class_code"],
        assess=chosen["assess"] or "",
    )
    page = _catalogues(ctx).list_items(
        session_of(ctx).actor, wanted, page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [item_document(item) for item in page.items]
    if not chosen["as_json"]:
        documents = [
            {**each, "levels": " ".join(each["levels"]), "requirement": each["requirement"]["zh"]}
            for each in documents
        ]
    columns = ("id", "class", "levels", "assess", "requirement")
    title = "控制项目录 Items"
    print_list(title, columns, documents, as_json=chosen["as_json"], following=page.next)


@group.command("show-item")
@click.argument("item_id")
@standard
@json_option
@click.pass_context
def show_item(ctx: click.Context, item_id: str, *, standard: str, as_json: bool) -> None:
    """Show an item with its evidence, rules, documents, high-risk cases and triggers.

    Example: secops audits show-item L3-CES1-01
    """
    from audits.service.catalogues.documents import item_view_document  # noqa: PLC0415

    view = _catalogues(ctx).show_item(session_of(ctx).actor, standard, item_id)
    document = item_view_document(view)
    if as_json:
        print_json(document)
        return
    rows = [
        ("class", document["class_title"]["zh"]),
        ("control_point", document["control_point"]["zh"]),
        ("requirement", document["requirement"]["zh"]),
        *(
            (f"level {level}", f"{each['id']}  {each['clause'] or '—'}")
            for level, each in document["levels"].items()
        ),
        ("assess", f"{document['assess']}{' (checked)' if document['checked'] else ''}"),
        *(
            ("check", f"{each['object'] or '—'}  {each['fact']} {each['expected']}")
            for each in document["asked"]
        ),
        *(("evidence", f"{each['kind']}  {each['what']['zh']}") for each in document["evidence"]),
        *(("rule", name) for name in document["rules"]),
        *(("document", each["title"]["zh"]) for each in document["documents"]),
        *(("high risk", f"{each['id']}  {each['trigger']['zh']}") for each in document["cases"]),
        *(("trigger", f"{each['id']}  {each['trigger']['zh']}") for each in document["triggers"]),
        *(("doubt", doubt["zh"]) for doubt in document["doubts"]),
    ]
    print_table(f"{document['edition']} {document['id']}", ("field", "value"), rows)
