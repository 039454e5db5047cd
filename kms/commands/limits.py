"""``secops kms`` for limits of keys and for organisations' quotas and locks."""

from __future__ import annotations

from typing import Any, Final

import click

from kms.commands.services import services_of
from secops.kernel.pages import page_request
from secops.terminal.instants import instant_or_none
from secops.terminal.output import json_option, print_json, print_list, say
from secops.terminal.session import session_of


@click.command("set-key-limits")
@click.argument("name")
@click.option("--not-before", help="RFC 3339 with its offset.")
@click.option("--not-after", help="RFC 3339 with its offset.")
@click.option("--max-uses", type=click.IntRange(min=0), help="Uses in all.")
@click.option("--client", "clients", multiple=True, help="Only through these applications.")
@click.option("--max-risk", type=click.IntRange(0, 100), default=100, show_default=True)
@json_option
@click.pass_context
def set_key_limits(ctx: click.Context, /, name: str, **options: Any) -> None:
    """Say when, how often, through which applications and at which risk NAME may be used.

    What is not said is not limited.

    Example: secops --as security-admin kms set-key-limits ca-sm2 --max-uses 1000 --max-risk 40
    """
    from kms.models.limits import KeyLimits  # noqa: PLC0415 - quick --help

    control, actor = services_of(ctx).limit_control, session_of(ctx).actor
    wish = KeyLimits(
        key_id="",
        not_before=instant_or_none(options["not_before"], "--not-before") or 0,
        not_after=instant_or_none(options["not_after"], "--not-after") or 0,
        max_uses=options["max_uses"],
        clients=options["clients"],
        max_risk=options["max_risk"],
        version=control.show_key_limits(actor, name).version,
    )
    from kms.service.presenting_limits import limits_fields  # noqa: PLC0415 - quick --help

    _show(limits_fields(control.set_key_limits(actor, name, wish)), as_json=options["as_json"])


@click.command("show-key-limits")
@click.argument("name")
@json_option
@click.pass_context
def show_key_limits(ctx: click.Context, *, name: str, as_json: bool) -> None:
    """Show the limits of the key NAME.

    Example: secops --as auditor kms show-key-limits ca-sm2
    """
    from kms.service.presenting_limits import limits_fields  # noqa: PLC0415 - quick --help

    found = services_of(ctx).limit_control.show_key_limits(session_of(ctx).actor, name)
    _show(limits_fields(found), as_json=as_json)


@click.command("set-quota")
@click.argument("organisation")
@click.option("--keys", type=click.IntRange(min=0), help="Keys at a time.")
@click.option("--versions", type=click.IntRange(min=0), help="Versions of all of them.")
@click.option("--daily-operations", type=click.IntRange(min=0), help="Uses a day (Beijing).")
@json_option
@click.pass_context
def set_quota(ctx: click.Context, /, organisation: str, **options: Any) -> None:
    """Say what ORGANISATION (its id) may have and do; what is not said is not limited.

    Example: secops --as security-admin kms set-quota org_01… --keys 100 --daily-operations 50000
    """
    from kms.models.limits import Quota  # noqa: PLC0415 - quick --help

    control, actor = services_of(ctx).limit_control, session_of(ctx).actor
    seen = control.show_tenant(actor, organisation).quota.version
    wish = Quota(
        organisation,
        keys=options["keys"],
        versions=options["versions"],
        daily_operations=options["daily_operations"],
        version=seen,
    )
    control.set_quota(actor, wish)
    _show_tenant(ctx, organisation, as_json=options["as_json"])


@click.command("show-tenant")
@click.argument("organisation")
@json_option
@click.pass_context
def show_tenant(ctx: click.Context, *, organisation: str, as_json: bool) -> None:
    """Show an organisation's quota, what it has used, and whether it is locked.

    Example: secops --as auditor kms show-tenant org_root
    """
    _show_tenant(ctx, organisation, as_json=as_json)


@click.command("lock-tenant")
@click.argument("organisation")
@click.option("--reason", required=True, help="Why.")
@click.pass_context
def lock_tenant(ctx: click.Context, *, organisation: str, reason: str) -> None:
    """Lock one organisation's keys within a second; the others go on.

    Example: secops --as security-admin kms lock-tenant org_01… --reason "under attack"
    """
    tenants = services_of(ctx).tenants
    tenants.lock_tenant(session_of(ctx).actor, organisation, reason=reason)
    say(f"the keys of {organisation} are locked")


@click.command("unlock-tenant")
@click.argument("organisation")
@click.pass_context
def unlock_tenant(ctx: click.Context, *, organisation: str) -> None:
    """Let an organisation's keys be used again.

    Example: secops --as security-admin kms unlock-tenant org_01…
    """
    services_of(ctx).tenants.unlock_tenant(session_of(ctx).actor, organisation)
    say(f"the keys of {organisation} are unlocked")


@click.command("list-self-tests")
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_self_tests(ctx: click.Context, *, cursor: str | None, as_json: bool) -> None:
    """List what the engines of each process answered to known questions, newest first.

    Example: secops --as auditor kms list-self-tests --json
    """
    from kms.service.presenting_limits import self_test_fields  # noqa: PLC0415 - quick --help

    tests, actor = services_of(ctx).self_tests, session_of(ctx).actor
    page = tests.list_self_tests(actor, page_request("200", cursor))
    records = [self_test_fields(record) for record in page.items]
    columns = ("at", "process", "passed", "defects")
    print_list("self-tests", columns, records, as_json=as_json, following=page.next)


COMMANDS: Final[tuple[click.Command, ...]] = (
    list_self_tests,
    set_key_limits,
    show_key_limits,
    set_quota,
    show_tenant,
    lock_tenant,
    unlock_tenant,
)
"""What the group ``secops kms`` takes up."""


def _show_tenant(ctx: click.Context, organisation: str, *, as_json: bool) -> None:
    from kms.service.presenting_limits import tenancy_fields  # noqa: PLC0415 - quick --help

    found = services_of(ctx).limit_control.show_tenant(session_of(ctx).actor, organisation)
    _show(tenancy_fields(found), as_json=as_json)


def _show(record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    for name, value in record.items():
        click.echo(f"{name}: {'' if value is None else value}")
