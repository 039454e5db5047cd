"""``secops audits``: systems, assets, suppliers' accesses, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from audits.commands.group import group
from audits.commands.options import reason, system
from secops.kernel.pages import page_request
from secops.terminal.output import (
    json_option,
    page_options,
    print_json,
    print_list,
    print_table,
    say,
)
from secops.terminal.session import session_of

_fields = click.option(
    "--set", "fields", multiple=True, metavar="FIELD=TEXT", help="A field, as in exported tables."
)
_version = click.option(
    "--version", type=click.IntRange(0), required=True, help="The version that you read."
)


def register_of(ctx: click.Context) -> Any:
    """Return the services of the register."""
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    return session_of(ctx).services(AuditsServices).register


def _written(fields: Sequence[str]) -> Mapping[str, str]:
    written: dict[str, str] = {}
    for pair in fields:
        name, sign, text = pair.partition("=")
        if not sign or name in written:
            msg = f"{pair[:60]!r} is no FIELD=TEXT, or comes twice"
            raise click.UsageError(msg)
        written[name] = text
    return written


@group.command("add-system")
@_fields
@json_option
@click.pass_context
def add_system(ctx: click.Context, *, fields: Sequence[str], as_json: bool) -> None:
    """Register a system; name, s_level and a_level are needed.

    Example: secops audits add-system --set name=政务门户 --set s_level=3 --set a_level=2
    --set "filed_at=2025-06-30" --set "data_grade=重要数据"
    """
    from audits.service.systems.documents import system_document  # noqa: PLC0415 - as above

    system = register_of(ctx).systems.add_system(session_of(ctx).actor, _written(fields))
    _answer(system_document(system), as_json=as_json)


@group.command("change-system")
@click.argument("system_id")
@_version
@_fields
@json_option
@click.pass_context
def change_system(
    ctx: click.Context, /, system_id: str, version: int, *, fields: Sequence[str], as_json: bool
) -> None:
    """Change fields of a system; this platform is registered by `this --version 0`.

    Example: secops audits change-system sys_01k9 --version 2 --set tested_at=2026-03-01
    """
    from audits.service.systems.documents import system_document  # noqa: PLC0415 - as above

    system = register_of(ctx).systems.change_system(
        session_of(ctx).actor, system_id, version, _written(fields)
    )
    _answer(system_document(system), as_json=as_json)


@group.command("retire-system")
@click.argument("system_id")
@_version
@reason
@click.pass_context
def retire_system(ctx: click.Context, system_id: str, version: int, reason: str) -> None:
    """Take a system out of use; it stays to be read.

    Example: secops audits retire-system sys_01k9 --version 3 --reason "已下线"
    """
    system = register_of(ctx).systems.retire_system(
        session_of(ctx).actor, system_id, version, reason
    )
    say(f"{system.id}: retired, version {system.version}")


@group.command("list-systems")
@page_options
@json_option
@click.pass_context
def list_systems(ctx: click.Context, /, **chosen: Any) -> None:
    """List the systems in use, the last registered first; `this` is always there.

    Example: secops audits list-systems --json
    """
    from audits.service.systems.documents import system_document  # noqa: PLC0415 - as above

    page = register_of(ctx).systems.list_systems(
        session_of(ctx).actor, page_request(chosen["limit"], chosen["cursor"])
    )
    documents = [system_document(system) for system in page.items]
    columns = ("id", "version", "name", "sag", "filing_number", "filed_at", "data_grade")
    print_list("系统 Systems", columns, documents, as_json=chosen["as_json"], following=page.next)


@group.command("show-system")
@click.argument("system_id")
@json_option
@click.pass_context
def show_system(ctx: click.Context, system_id: str, *, as_json: bool) -> None:
    """Show a system with what is due and its versions.

    Example: secops audits show-system this --json
    """
    from audits.service.systems.documents import system_view_document  # noqa: PLC0415 - as above

    view = register_of(ctx).systems.show_system(session_of(ctx).actor, system_id)
    _answer(system_view_document(view), as_json=as_json)


@group.command("grade-system")
@click.option("--information", multiple=True, required=True, metavar="WHO=DEGREE")
@click.option("--service", multiple=True, required=True, metavar="WHO=DEGREE")
@json_option
@click.pass_context
def grade_system(
    ctx: click.Context, *, information: Sequence[str], service: Sequence[str], as_json: bool
) -> None:
    """Propose a level (定级) by whom harm meets and how badly; nothing is stored.

    WHO is citizens, society or state; DEGREE is ordinary, serious or grave.

    Example: secops audits grade-system --information society=serious --service citizens=grave
    """
    from audits.service.systems.documents import grading_document  # noqa: PLC0415 - as above

    grading = register_of(ctx).systems.grade_system(
        session_of(ctx).actor, _written(information), _written(service)
    )
    document = grading_document(grading)
    if as_json:
        print_json(document)
        return
    say(f"{grading.edition.zh}: {grading.sag}")
    for doubt in grading.doubts:
        say(f"? {doubt.zh} / {doubt.en}")


@group.command("add-asset")
@system
@_fields
@json_option
@click.pass_context
def add_asset(ctx: click.Context, *, system_id: str, fields: Sequence[str], as_json: bool) -> None:
    """Register an asset of a system; name and kind are needed.

    Example: secops audits add-asset --system sys_01k9 --set name=web-01 --set kind=host
    --set importance=4 --set "log_sources=nginx;sshd"
    """
    from audits.service.systems.documents import asset_document  # noqa: PLC0415 - as above

    asset = register_of(ctx).assets.add_asset(session_of(ctx).actor, system_id, _written(fields))
    _answer(asset_document(asset), as_json=as_json)


@group.command("change-asset")
@click.argument("asset_id")
@_version
@_fields
@json_option
@click.pass_context
def change_asset(
    ctx: click.Context, /, asset_id: str, version: int, *, fields: Sequence[str], as_json: bool
) -> None:
    """Change fields of an asset.

    Example: secops audits change-asset ast_01k9 --version 1 --set "place=B 机房"
    """
    from audits.service.systems.documents import asset_document  # noqa: PLC0415 - as above

    asset = register_of(ctx).assets.change_asset(
        session_of(ctx).actor, asset_id, version, _written(fields)
    )
    _answer(asset_document(asset), as_json=as_json)


@group.command("retire-asset")
@click.argument("asset_id")
@_version
@reason
@click.pass_context
def retire_asset(ctx: click.Context, asset_id: str, version: int, reason: str) -> None:
    """Take an asset out of use; it stays to be read.

    Example: secops audits retire-asset ast_01k9 --version 1 --reason "报废"
    """
    asset = register_of(ctx).assets.retire_asset(session_of(ctx).actor, asset_id, version, reason)
    say(f"{asset.id}: retired, version {asset.version}")


@group.command("list-assets")
@system
@page_options
@json_option
@click.pass_context
def list_assets(ctx: click.Context, /, **chosen: Any) -> None:
    """List the assets in use of a system, the last registered first.

    Example: secops audits list-assets --system sys_01k9
    """
    from audits.service.systems.documents import asset_document  # noqa: PLC0415 - as above

    page = register_of(ctx).assets.list_assets(
        session_of(ctx).actor,
        chosen["system_id"],
        page_request(chosen["limit"], chosen["cursor"]),
    )
    documents = [asset_document(asset) for asset in page.items]
    columns = ("id", "version", "name", "kind", "address", "importance", "department", "place")
    print_list("资产 Assets", columns, documents, as_json=chosen["as_json"], following=page.next)


@group.command("show-asset")
@click.argument("asset_id")
@json_option
@click.pass_context
def show_asset(ctx: click.Context, asset_id: str, *, as_json: bool) -> None:
    """Show an asset with its versions.

    Example: secops audits show-asset ast_01k9
    """
    from audits.service.systems.documents import asset_view_document  # noqa: PLC0415 - as above

    view = register_of(ctx).assets.show_asset(session_of(ctx).actor, asset_id)
    _answer(asset_view_document(view), as_json=as_json)


def _answer(document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    rows = [(name, value) for name, value in document.items() if value not in ("", None, [])]
    print_table("台账 Register", ("", ""), [(name, _shown(value)) for name, value in rows])


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{v['version']} {v['action']} {v['at']}" for v in value)
    if isinstance(value, dict):
        return f"{value['standing']} {value['at'] or ''}".strip()
    return str(value)
