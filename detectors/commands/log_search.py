"""``secops logs search``: lines, a histogram, top terms, or an export to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

import click

from secops.kernel.errors import Conflict, Invalid
from secops.terminal.output import json_option, print_json, print_json_line, print_table, say
from secops.terminal.session import Session, session_of

if TYPE_CHECKING:
    from detectors.models.search import ExportForm, Histogram
    from detectors.service import DetectorsServices

_WIDTH: Final = 50
_LIMITS: Final = {"lines": 100, "terms": 10, "export": 100_000}


@click.command("search")
@click.argument("query")
@click.option("--since", help="2026-11-22, 2026-11-22T08:00:00+08:00, now-2h")
@click.option("--until", help="as --since; a date alone is the whole day")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000_000),
    help="Lines (100, at most 10,000), terms (10) or exported events (100,000).",
)
@click.option("--histogram", is_flag=True, help="Count over time.")
@click.option("--interval", type=click.IntRange(1), help="Seconds of a bar (what suits).")
@click.option("--terms", "fields", multiple=True, help="The most frequent values of a field.")
@click.option("--export", "target", help="A new file, .csv or .jsonl; - is JSON Lines here.")
@click.option("--columns", help="Fields of a CSV, with commas between.")
@json_option
@click.pass_context
def search(ctx: click.Context, /, query: str, *, as_json: bool, **written: Any) -> None:
    """Search stored logs, newest first, in Lucene's syntax.

    Example: secops logs search "source.ip:10.0.0.0/8 AND event.outcome:failure"
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    asked = [name for name in ("histogram", "fields", "target") if written[name]]
    if len(asked) > 1:
        msg = "--histogram, --terms and --export are asked for one at a time"
        raise Invalid(msg)
    session = session_of(ctx)
    services = session.services(DetectorsServices)
    written["window"] = (written["since"], written["until"])
    if written["histogram"]:
        _histogram(session, services, query, written, as_json=as_json)
    elif written["fields"]:
        _terms(session, services, query, written, as_json=as_json)
    elif written["target"]:
        _export(session, services, query, written)
    else:
        _lines(session, services, query, written, as_json=as_json)


def _lines(
    session: Session,
    services: DetectorsServices,
    query: str,
    written: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from detectors.service.logs.log_presentation import event_json  # noqa: PLC0415 - heavy

    found = services.logs.search_logs(
        session.actor, query, window=written["window"], limit=written["limit"] or _LIMITS["lines"]
    )
    for stored in found:
        line = event_json(stored)
        if as_json:
            print_json_line(line)
        else:
            click.echo(f"{line['@timestamp']}  {line['source']}  {line['raw']}")


def _histogram(
    session: Session,
    services: DetectorsServices,
    query: str,
    written: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from detectors.service.logs.log_presentation import histogram_json  # noqa: PLC0415 - heavy

    found = services.search.histogram_logs(
        session.actor, query, window=written["window"], step=written["interval"]
    )
    if as_json:
        print_json(histogram_json(found))
        return
    for line in _bars(found):
        click.echo(line)
    say(f"{found.total} events, {found.step} s a bar")


def _bars(found: Histogram) -> list[str]:
    from secops.kernel.clock import to_rfc3339  # noqa: PLC0415 - quick --help

    most = max((bar.count for bar in found.bars), default=1) or 1
    digits = len(str(most))
    return [
        f"{to_rfc3339(bar.start)}  {bar.count:>{digits}}  {'█' * -(-bar.count * _WIDTH // most)}"
        for bar in found.bars
    ]


def _terms(
    session: Session,
    services: DetectorsServices,
    query: str,
    written: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from detectors.service.logs.log_presentation import facet_json  # noqa: PLC0415 - heavy

    found = services.search.top_terms(
        session.actor,
        query,
        written["fields"],
        window=written["window"],
        limit=written["limit"] or _LIMITS["terms"],
    )
    if as_json:
        print_json({"items": [facet_json(facet) for facet in found]})
        return
    for facet in found:
        rows = [(term.key[0], term.count) for term in facet.terms]
        print_table(facet.field, ("value", "events"), rows)


def _export(
    session: Session, services: DetectorsServices, query: str, written: dict[str, Any]
) -> None:
    from detectors.models.search import ExportOptions  # noqa: PLC0415 - quick --help

    target = written["target"]
    form = "jsonl" if target == "-" else Path(target).suffix.lower().removeprefix(".")
    columns = tuple(name for name in (written["columns"] or "").split(",") if name)
    limit = written["limit"] or _LIMITS["export"]
    options = ExportOptions(cast("ExportForm", form), limit, columns)
    parts = services.search.export_logs(session.actor, query, options, window=written["window"])
    rows, is_cut = 0, False
    with _opened(target) as stream:
        for part in parts:
            stream.write(part.content)
            rows, is_cut = part.rows, part.is_cut
    say(f"{rows} events exported")
    if is_cut:
        say(f"CUT at --limit {limit}: there are more, older than the last one")


@contextmanager
def _opened(target: str) -> Iterator[IO[bytes]]:
    """Open ``target`` for the owner alone; what is there already is never overwritten."""
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        msg = f"{target} is there already"
        raise Conflict(msg) from error
    except OSError as error:
        msg = f"{target}: {error.strerror}"
        raise Invalid(msg) from error
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
