"""``logs sources``, ``list-sources``, ``add-source``, ``change-source``, ``remove-source``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from detectors.commands.log_options import FORMATS, encoding_option, format_option, zone_option
from secops.kernel.errors import Invalid
from secops.terminal.output import json_option, print_json, print_list, print_table, say
from secops.terminal.session import session_of

_STORED: Final = ("source", "events", "first_at", "last_at", "last_ingested")
_REGISTERED: Final = ("name", "owner", "format", "path", "follow", "peers", "expected_silence")
_HEALTH: Final = (
    "name", "owner", "events", "last_at", "rate", "lag", "rejected", "dropped", "silent_since",
)  # fmt: skip
_SHARED: Final = (
    click.option("--path", help="The file, where it lies on this machine."),
    click.option("--follow/--no-follow", default=None, help="Keep reading the file as it grows."),
    click.option("--owner", help="Who answers for it."),
    click.option(
        "--silence", "expected_silence", type=int, help="Seconds it may say nothing; 0: any."
    ),
    click.option("--peers", help="Addresses, networks or tls:NAME its syslog comes from."),
    click.option("--hosts", help="Host names in its lines, behind a relay."),
)


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SHARED):
        command = option(command)
    return command


@click.command("sources")
@json_option
@click.pass_context
def sources(ctx: click.Context, /, *, as_json: bool) -> None:
    """List what is stored of each source, and the registered sources.

    Example: secops logs sources --json
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.logs.log_presentation import source_json, summary_json  # noqa: PLC0415

    session = session_of(ctx)
    services = session.services(DetectorsServices)
    stored = [summary_json(s) for s in services.logs.summarise_sources(session.actor)]
    registered = [source_json(s) for s in services.sources.list_sources(session.actor)]
    if as_json:
        print_json({"stored": stored, "registered": registered})
        return
    print_table("Stored", _STORED, [[row[c] for c in _STORED] for row in stored])
    print_table("Registered", _REGISTERED, [[row[c] for c in _REGISTERED] for row in registered])


@click.command("list-sources")
@json_option
@click.pass_context
def list_sources(ctx: click.Context, /, *, as_json: bool) -> None:
    """List every source with how it fares: last event, rate, lag, rejects, drops, silence.

    Example: secops logs list-sources
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.watching.source_watch import view_record  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    watch = session.services(DetectorsServices).source_watch
    rows = [view_record(view) for view in watch.list_health(session.actor)]
    print_list("Sources", _HEALTH, rows, as_json=as_json)


@click.command("add-source")
@click.argument("name")
@format_option
@zone_option
@encoding_option
@_shared
@click.pass_context
def add_source(ctx: click.Context, /, name: str, **written: Any) -> None:
    """Register a log source (system administrator).

    Example: secops logs add-source auth.log --path /var/log/auth.log --format sshd --follow
    """
    from detectors.models.logs import LogSource, SourceChanges  # noqa: PLC0415 - quick --help
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    fresh = LogSource(name, session.actor.org_id, "auto", "Asia/Shanghai")
    source = SourceChanges(_given(written)).of(fresh)
    session.services(DetectorsServices).sources.add_source(session.actor, source)
    say(f"{name} is registered")


@click.command("change-source")
@click.argument("name")
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="Log format.")
@zone_option
@encoding_option
@_shared
@click.pass_context
def change_source(ctx: click.Context, /, name: str, **written: Any) -> None:
    """Change what is given of a registered source; an empty text takes it away.

    Example: secops logs change-source fw1 --peers 10.1.2.3,10.1.3.0/24 --silence 600
    """
    from detectors.models.logs import SourceChanges  # noqa: PLC0415 - quick --help
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    given = _given(written)
    if not given:
        msg = "nothing to change was given"
        raise Invalid(msg)
    session = session_of(ctx)
    service = session.services(DetectorsServices).sources
    service.change_source(session.actor, name, SourceChanges(given))
    say(f"{name} is changed")


@click.command("remove-source")
@click.argument("name")
@click.pass_context
def remove_source(ctx: click.Context, /, name: str) -> None:
    """Forget a registered source; what it sent stays.

    Example: secops logs remove-source auth.log
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    session.services(DetectorsServices).sources.remove_source(session.actor, name)
    say(f"{name} is no longer registered")


def _given(written: dict[str, Any]) -> dict[str, Any]:
    """Return what was written, by the names of a source's fields."""
    given = {name: value for name, value in written.items() if value is not None}
    if "format_name" in given:
        given["format"] = given.pop("format_name")
    if given.get("expected_silence") == 0:
        given["expected_silence"] = None
    for name in ("path", "encoding"):
        if given.get(name) == "":
            given[name] = None
    return given
