"""The group ``logs``: ingest and search logs, their sources, follow a file."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import click

from detectors.commands.log_options import encoding_option, format_option, zone_option
from secops.kernel.errors import Invalid
from secops.terminal.output import (
    json_option,
    print_json,
    progress_bar,
    say,
)
from secops.terminal.session import session_of

_PAUSE = 0.5
_GARBAGE = 100_000
"""New objects after which ingest looks for cycles: about those of a batch of events."""


@click.group("logs")
def group() -> None:
    """Ingest and search logs.

    Example: secops logs ingest /var/log/auth.log
    """


@group.command("ingest")
@click.argument("paths", type=click.Path(exists=True), nargs=-1, required=True)
@click.option("--source", help="One log of one machine (default: the file's base name).")
@format_option
@zone_option
@click.option("--year", type=click.IntRange(1970, 9999), help="Year of times without one.")
@encoding_option
@json_option
@click.pass_context
def ingest(ctx: click.Context, /, paths: tuple[str, ...], *, as_json: bool, **written: Any) -> None:
    """Store what log files hold; ingesting a file again adds nothing.

    A line that can't be read goes to the rejects file with its place and reason.

    Example: secops logs ingest samples/sshd.log --format sshd
    """
    from detectors.models.logs import IngestOptions  # noqa: PLC0415 - quick --help
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.logs.log_presentation import result_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    options = IngestOptions(
        written["source"],
        written["format_name"],
        written["timezone"],
        written["year"],
        written["encoding"],
    )
    total = sum(Path(path).stat().st_size for path in paths if Path(path).is_file())
    logs = session.services(DetectorsServices).logs
    # a collection would look at everything loaded and every event that waits, again and again
    gc.freeze()
    gc.set_threshold(_GARBAGE, 50, 100)
    with progress_bar("ingest", float(total) if total else None) as bar:
        result = logs.ingest_files(session.actor, paths, options, progress=bar.advance)
    if as_json:
        print_json(result_json(result))
        return
    say(
        f"{result.read} lines: {result.stored} stored, {result.duplicates} known, "
        f"{result.rejected} refused, {result.seconds} s"
    )
    if result.rejects_file:
        say(f"refused lines: {result.rejects_file}")


@group.command("show")
@click.argument("event_id")
@click.pass_context
def show(ctx: click.Context, /, event_id: str) -> None:
    """Show one event with all its fields, as JSON.

    Example: secops logs show 3f2a…
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.logs.log_presentation import event_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    found = session.services(DetectorsServices).logs.show_event(session.actor, event_id)
    print_json(event_json(found))


@group.command("verify")
@json_option
@click.pass_context
def verify(ctx: click.Context, /, *, as_json: bool) -> None:
    """Compare the stored logs with their digests in the ledger; exit 1 if they differ.

    Example: secops logs verify --json
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.logs.log_presentation import verdict_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    verdict = session.services(DetectorsServices).integrity.verify_segments(session.actor)
    if as_json:
        print_json(verdict_json(verdict))
    else:
        say(f"{verdict.segments} segments with {verdict.events} events")
        for name, why in verdict.bad:
            say(f"BAD {name}: {why}")
    ctx.exit(0 if verdict.valid else 1)


@group.command("follow")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@click.option("--source", help="One log of one machine (default: the file's base name).")
@format_option
@zone_option
@encoding_option
@click.option("--once", is_flag=True, help="Read what is new and stop.")
@click.pass_context
def follow(ctx: click.Context, /, path: str, *, once: bool, **written: Any) -> None:
    """Read a file as it grows, through rotations, until Ctrl-C.

    Example: secops logs follow /var/log/auth.log
    """
    from detectors.models.logs import LogSource  # noqa: PLC0415 - quick --help
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    if written["format_name"] == "evtx":
        msg = "an EVTX file can be ingested, not followed"
        raise Invalid(msg)
    session = session_of(ctx)
    follower = session.services(DetectorsServices).follower
    source = LogSource(
        name=written["source"] or Path(path).name,
        org_id=session.actor.org_id,
        format=written["format_name"],
        timezone=written["timezone"] or "Asia/Shanghai",
        path=str(Path(path).resolve()),
        encoding=written["encoding"],
    )
    say(f"following {path} as {source.name}")
    try:
        while follower.follow_file(session.actor, source) or not once:
            time.sleep(_PAUSE)
    except KeyboardInterrupt:
        say("stopped")
