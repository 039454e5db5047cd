"""Stdout is the answer (one JSON document, JSON Lines or a table); stderr is everything else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from unicodedata import category

import click
import orjson

if TYPE_CHECKING:
    from rich.progress import Progress

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def page_options(command: Command) -> Command:
    """Add ``--limit`` and ``--cursor``, texts that ``kernel.pages.page_request`` reads."""
    for option in (
        click.option("--cursor", help="The `next` of the page before."),
        click.option("--limit", default="50", show_default=True, help="At most 200 a page."),
    ):
        command = option(command)
    return command


def print_json(value: Any) -> None:
    """Print ``value`` as one JSON document."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()


def print_json_line(value: Any) -> None:
    """Print ``value`` as one line of JSON Lines."""
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")


def print_list(
    title: str,
    columns: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    *,
    as_json: bool,
    following: str | None = None,
) -> None:
    """Print a list: as one JSON page, or as a table of ``columns``; ``following`` is its next."""
    if as_json:
        print_json({"items": records, "next": following})
        return
    print_table(title, columns, ([record[name] for name in columns] for record in records))
    if following is not None:
        say(f"there are more: --cursor {following}")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print ``rows`` as a table."""
    from rich.console import Console  # noqa: PLC0415 - slow, and most commands print no table
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=plain(title), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else plain(str(cell)) for cell in row))
    # what a file calls itself is no markup of ours
    Console(markup=False, emoji=False).print(table)


def say(message: str) -> None:
    """Tell the person something on stderr."""
    click.echo(plain(message), err=True)


def plain(text: str) -> str:
    """Return ``text`` with what could steer a terminal spelled out: strangers wrote some of it."""
    return "".join(
        ascii(letter)[1:-1] if category(letter)[0] == "C" and letter not in "\n\t" else letter
        for letter in text
    )


class Bar(Protocol):
    """Something that shows progress."""

    def advance(self, count: float = 1) -> None:
        """Count ``count`` more units as done."""
        ...


class _NoBar:
    def advance(self, count: float = 1) -> None:
        """Show nothing."""


class _RichBar:
    def __init__(self, progress: Progress, total: float | None, what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total)

    def advance(self, count: float = 1) -> None:
        self._progress.advance(self._task, count)


@contextmanager
def progress_bar(what: str, total: float | None = None) -> Iterator[Bar]:
    """Show progress on stderr while the block runs; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield _NoBar()
        return
    from rich.console import Console  # noqa: PLC0415 - slow, and of use on a terminal only
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        yield _RichBar(progress, total, what)
