"""Tables: one shape for every list; sorted on the server, exported as CSV, paged by cursor."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from secops.console.texts import N_, translate
from secops.kernel.clock import to_rfc3339
from secops.web.messages import Request, Response, file_response

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_CELL: Final = 32_767
"""Characters that spreadsheets take in a cell."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell. ``sort`` is what it sorts by, ``badge`` a class such as ``severity-high``.

    ``instant`` (UTC microseconds) makes it a time, shown in Beijing time.
    """

    text: str
    href: str = ""
    badge: str = ""
    sort: str | int | None = None
    instant: int | None = None

    @property
    def key(self) -> tuple[int, int, str]:
        """What the cell sorts by: numbers before texts."""
        value = self.instant if self.sort is None and self.instant is not None else self.sort
        if isinstance(value, int):
            return (0, value, "")
        return (1, 0, self.text if value is None else value)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``name`` in the address bar, ``title`` (a Chinese message id) above it."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as shown on one page; ``next`` is the cursor of the page behind it.

    A list that is ``ordered`` stands as it was read: the address's ``sort`` is its own word.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    next: str | None = None
    empty: str = N_("没有记录")
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's heading with the link that sorts by it."""

    title: str
    href: str
    direction: str


@dataclass(frozen=True, slots=True)
class TableView:
    """A table ready for the template ``table.html``."""

    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    next_href: str
    export_href: str
    workbook_href: str
    empty: str


def view_table(request: Request, table: Table) -> TableView:
    """Sort ``table`` as the query string says and make its links."""
    query = dict(request.query)
    names = [column.name for column in table.columns]
    chosen = "" if table.ordered else query.get("sort", "")
    descending = query.get("order") == "desc"
    rows = list(table.rows)
    if chosen in names:
        place = names.index(chosen)
        rows.sort(key=lambda row: row[place].key, reverse=descending)
    language = request.language
    return TableView(
        caption=translate(table.caption, language),
        headings=[_heading(column, request, chosen, descending) for column in table.columns],
        rows=rows,
        next_href=_link(query, cursor=table.next) if table.next else "",
        export_href=_link(query, format="csv"),
        workbook_href=_link(query, format="xlsx"),
        empty=translate(table.empty, language),
    )


def _heading(column: Column, request: Request, chosen: str, descending: bool) -> Heading:  # noqa: FBT001
    mine = column.name == chosen
    order = "asc" if not mine or descending else "desc"
    direction = ("descending" if descending else "ascending") if mine else "none"
    href = _link(dict(request.query), sort=column.name, order=order)
    return Heading(translate(column.title, request.language), href, direction)


def _link(query: dict[str, str], **changes: str) -> str:
    return "?" + urlencode({**query, **changes})


def export_table(request: Request, table: Table, name: str) -> Response:
    """Return ``table`` as a workbook, or as CSV (UTF-8 with BOM, so that Chinese is read)."""
    titles = [translate(column.title, request.language) for column in table.columns]
    rows = [titles, *([_exported(cell) for cell in row] for row in table.rows)]
    if request.query.get("format") == "xlsx":
        return xlsx_file(name, rows)
    return csv_file(name, rows)


def xlsx_file(name: str, rows: Iterable[Sequence[str]]) -> Response:
    """Return ``rows``, the headings first, as a workbook in which every cell is a text."""
    import xlsxwriter  # noqa: PLC0415 - slow, and most pages export nothing

    packed = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(packed, options) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(rows):
            for column, text in enumerate(row):
                sheet.write_string(place, column, text[:_LONGEST_CELL])
    return file_response(packed.getvalue(), XLSX, f"{name}.xlsx")


def csv_file(name: str, rows: Iterable[Sequence[str]]) -> Response:
    """Return ``rows``, the headings first, as a file (UTF-8 with BOM) that no cache keeps."""
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    content = "\ufeff".encode() + lines.getvalue().encode()
    return file_response(content, "text/csv; charset=utf-8", f"{name}.csv")


def _exported(cell: Cell) -> str:
    """Return what stands in the file: a time as RFC 3339, since a page shows it by its instant."""
    if cell.instant is not None and not cell.text:
        return to_rfc3339(cell.instant)
    return _harmless(cell.text)


def _harmless(text: str) -> str:
    # a cell that begins like a formula would be computed by spreadsheets
    return f"'{text}" if text.startswith(_FORMULA) else text
