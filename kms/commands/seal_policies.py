"""``secops kms set-use-policy`` and ``show-use-policy``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.seal_policies import UsePolicy

_ALL_DAYS: Final = "1-7"
_ALL_DAY: Final = "00:00-24:00"


@click.command("set-use-policy")
@click.argument("seal")
@click.option("--user", "users", multiple=True, help="Only these holders; repeatable.")
@click.option("--class", "classes", multiple=True, help="Only these document classes.")
@click.option("--days", default=_ALL_DAYS, show_default=True, help="1 is Monday.")
@click.option("--hours", default=_ALL_DAY, show_default=True, help="Beijing time.")
@click.option("--daily-cap", type=int, help="Uses a day at most.")
@click.option("--max-risk", type=int, default=100, show_default=True, help="Of the caller.")
@click.option("--approval", type=click.Choice(["none", "each_use"]), default="none")
@json_option
@click.pass_context
def set_use_policy(ctx: click.Context, /, seal: str, **options: Any) -> None:
    """Say who may use SEAL, for what, when and how often; what is not said is not limited.

    Example: secops --as security-admin kms set-use-policy seal_01… --class 公文 --days 1-5
    --hours 08:00-18:00 --daily-cap 50 --max-risk 40
    """
    from kms.models.seal_policies import UsePolicy, read_minutes  # noqa: PLC0415 - quick --help

    policies, actor = services_of(ctx).seal_policies, session_of(ctx).actor
    opens, dash, closes = options["hours"].partition("-")
    begin, end = read_minutes(opens), read_minutes(closes)
    if not dash or begin is None or end is None:
        msg = "--hours is HH:MM-HH:MM"
        raise click.BadParameter(msg)
    wish = UsePolicy(
        seal_id=seal,
        users=options["users"],
        document_classes=options["classes"],
        weekdays=_days(options["days"]),
        opens=begin,
        closes=end,
        daily_cap=options["daily_cap"],
        max_risk=options["max_risk"],
        approval=options["approval"],
        version=policies.show_use_policy(actor, seal).version,
    )
    _show(policies.set_use_policy(actor, wish), as_json=options["as_json"])


@click.command("show-use-policy")
@click.argument("seal")
@json_option
@click.pass_context
def show_use_policy(ctx: click.Context, *, seal: str, as_json: bool) -> None:
    """Show how SEAL may be used.

    Example: secops --as auditor kms show-use-policy seal_01…
    """
    _show(
        services_of(ctx).seal_policies.show_use_policy(session_of(ctx).actor, seal), as_json=as_json
    )


COMMANDS: Final[tuple[click.Command, ...]] = (set_use_policy, show_use_policy)
"""What the group ``secops kms`` takes up."""


def _days(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    days = "1234567"
    if len(first) != 1 or len(last) > 1 or first not in days or (last or first) not in days:
        msg = "--days is like 1-5"
        raise click.BadParameter(msg)
    return tuple(range(int(first), int(last or first) + 1))


def _show(policy: UsePolicy, *, as_json: bool) -> None:
    from kms.models.seal_policies import show_minutes  # noqa: PLC0415 - quick --help

    hours = f"{show_minutes(policy.opens)}-{show_minutes(policy.closes)}"
    record = {
        "seal_id": policy.seal_id,
        "users": list(policy.users),
        "document_classes": list(policy.document_classes),
        "weekdays": list(policy.weekdays),
        "hours": hours,
        "daily_cap": policy.daily_cap,
        "max_risk": policy.max_risk,
        "approval": policy.approval,
        "version": policy.version,
    }
    if as_json:
        print_json(record)
    else:
        for name, value in record.items():
            say(f"{name}: {value}")
