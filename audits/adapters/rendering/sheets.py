"""A report as an XLSX workbook: every cell a text or a number, never a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from audits.adapters.rendering import registers, whole
from audits.adapters.rendering.items import (
    evidence_of,
    evidence_taken,
    items_of,
    judge_of,
    not_applicable,
    object_name,
    observation_line,
    waiver_line,
)
from audits.adapters.rendering.look import Look, day_of, judged_share, lines, share_of
from audits.adapters.rendering.paper import Block, Column, Facts, Grid, Sentence
from audits.models.assessments import STATUSES
from secops.kernel.clock import SECOND, from_rfc3339

Cell = str | int | float
_LONGEST: Final = 32_000
"""Characters of a cell; Excel itself takes 32,767."""

_SHEET_NAME: Final = 31
_WIDTH: Final = 5.0
_FORBIDDEN: Final = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_TONES: Final = {"compliant": "#e2f3e9", "partial": "#fff3dc", "noncompliant": "#fde3e4"}


def workbook(look: Look) -> bytes:
    """Return the workbook; the same document gives the same bytes."""
    import xlsxwriter  # noqa: PLC0415 - heavy

    content = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(content, options)
    made = from_rfc3339(str(look["made_at"])) / SECOND
    book.set_properties(
        {
            "title": look.text(look["title"]),
            "comments": look.text(look["disclaimer"]),
            "created": datetime.fromtimestamp(made, UTC).replace(tzinfo=None),
        }
    )
    sheets = _Sheets(book, look)
    for fill in (_summary, _classes, _registers, _evidence, _statistics):
        fill(sheets)
    if look["standard"] == "gbt39786":
        _units(sheets)
    book.close()
    return content.getvalue()


class _Sheets:
    """A workbook with the formats of its cells."""

    def __init__(self, book: Any, look: Look) -> None:
        self.book = book
        self.look = look
        text = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#CCD4DE"}
        # quotePrefix keeps a cell a text when somebody edits it, whatever it begins with
        text |= {"num_format": "@", "quote_prefix": True}
        self.text = book.add_format(text)
        self.number = book.add_format({"valign": "top", "border": 1, "border_color": "#CCD4DE"})
        self.percent = book.add_format({"num_format": "0.00%", "border": 1, "valign": "top"})
        self.head = book.add_format(text | {"bold": True, "bg_color": "#E6F0FB"})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.warning = book.add_format(text | {"bold": True, "bg_color": "#FFF3DC"})
        self.tones = {tone: book.add_format(text | {"bg_color": _TONES[tone]}) for tone in _TONES}
        self.names: set[str] = set()

    def sheet(self, name: str) -> Any:
        """Return a new sheet; its name is made one that Excel takes, and no other sheet's."""
        wanted = name.translate(_FORBIDDEN).strip()[:_SHEET_NAME] or "-"
        number = 1
        while wanted.lower() in self.names:
            number += 1
            wanted = f"{wanted[: _SHEET_NAME - 4]} {number}"
        self.names.add(wanted.lower())
        sheet = self.book.add_worksheet(wanted)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def table(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell]],
        tones: Sequence[str] = (),
    ) -> Any:
        """Write a sheet of one table: a head that stays, a filter, no formula."""
        sheet = self.sheet(name)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _WIDTH * column.weight)
            sheet.write_string(0, place, column.title, self.head)
        last = 0
        for last, row in enumerate(rows, 1):
            tone = tones[last - 1] if tones else ""
            for place, cell in enumerate(row):
                self.cell(sheet, last, place, cell, self.tones.get(tone, self.text))
        sheet.freeze_panes(1, 1)
        if columns:
            sheet.autofilter(0, 0, last, len(columns) - 1)
            sheet.repeat_rows(0)
        return sheet

    def cell(self, sheet: Any, row: int, place: int, value: Cell, style: Any) -> None:
        """Write one cell as what it is."""
        if isinstance(value, str):
            shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
            sheet.write_string(row, place, shown, style)
        else:
            sheet.write_number(
                row, place, value, self.percent if isinstance(value, float) else self.number
            )

    def grid(self, name: str, blocks: Sequence[Block]) -> None:
        """Write a sheet of the first table in ``blocks``; a sentence where there is none."""
        found = next((block for block in blocks if isinstance(block, Grid)), None)
        if found is not None:
            rows = found.rows
            self.table(name, found.columns, [row.cells for row in rows], [row.tone for row in rows])
            return
        said = next((block.text for block in blocks if isinstance(block, Sentence)), "")
        sheet = self.sheet(name)
        sheet.set_column(0, 0, 80)
        sheet.write_string(0, 0, said or self.look.word("none"), self.text)


def _summary(sheets: _Sheets) -> None:
    look = sheets.look
    sheet = sheets.sheet(look.word("summary"))
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, look.text(look["title"]), sheets.title)
    row = 1
    for block in (*whole.cover(look, {look.language: ""}), *whole.statement(look)):
        if isinstance(block, Sentence):
            style = sheets.warning if block.kind == "warning" else sheets.text
            sheet.merge_range(row, 0, row, 1, "", style)
            sheet.write_string(row, 0, block.text, style)
            row += 1
        for name, value in block.rows if isinstance(block, Facts) else ():
            if value:
                sheet.write_string(row, 0, name, sheets.head)
                sheets.cell(sheet, row, 1, value, sheets.text)
                row += 1
    sheets.grid(look.word("calculation_sheet"), whole.calculations(look))


def _classes(sheets: _Sheets) -> None:
    """Write a sheet of records for each class, one of all objects, one of what does not apply."""
    look = sheets.look
    names = ("id", "clause", "point", "requirement", "object_name", "record", "status")
    columns = [
        *(Column(look.word(name), weight) for name, weight in zip(names, _WEIGHTS, strict=True)),
        *(Column(look.word(name), 3) for name in ("value", "judge", "assess", "official")),
        Column(look.word("evidence"), 8),
    ]
    for one in look["classes"]:
        members = items_of(look, one)
        rows = [_record(look, item) for item in members]
        tones = [item["status"] for item in members]
        sheets.table(f"{look.text(one['title'])} {one['code']}", columns, rows, tones)
    _objects(sheets)
    sheets.grid(look.word("not_applicable_sheet"), not_applicable(look))


_WEIGHTS: Final = (3, 3, 3, 8, 4, 10, 2)


def _record(look: Look, item: Mapping[str, Any]) -> list[Cell]:
    objects = (f"{object_name(look, one)}({look.status(one['status'])})" for one in item["objects"])
    return [
        look.text(item["id"]),
        look.text(item["clause"]),
        look.text(item["control_point"]),
        look.text(item["requirement"]),
        lines(*objects),
        lines(
            look.text(item["reason"]),
            *(observation_line(look, seen) for seen in item["observations"]),
            waiver_line(look, item["waiver"]),
        ),
        look.status(item["status"]),
        look.text(item["value"]),
        judge_of(look, item),
        look.word(item["assess"]),
        look.text(bool(item["official_id"])),
        lines(*(f"{evidence_taken(look, each)} {each['sha256']}" for each in evidence_of(item))),
    ]


def _objects(sheets: _Sheets) -> None:
    look = sheets.look
    columns = look.columns(id=3, object_name=5, status=3, reason=8, fact=10, digest=13)
    rows, tones = [], []
    for item in look["items"]:
        for one in item["objects"]:
            tones.append(one["status"])
            rows.append(
                [
                    look.text(item["id"]),
                    object_name(look, one),
                    look.status(one["status"]),
                    look.text(one["reason"]),
                    lines(*(observation_line(look, seen) for seen in one["observations"])),
                    lines(*(look.text(each["sha256"]) for each in one["evidence"])),
                ]
            )
    sheets.table(look.word("objects"), columns, rows, tones)


def _registers(sheets: _Sheets) -> None:
    look = sheets.look
    sheets.grid(look.word("high_sheet"), registers.high_risks(look))
    sheets.grid(look.word("major_sheet"), registers.triggers(look))
    sheets.grid(look.word("rectification"), registers.tasks(look))
    sheets.grid(look.word("waiver_sheet"), registers.waivers(look))
    sheets.grid(look.word("risk_sheet"), registers.risks(look))
    sheets.grid(look.word("assets"), registers.assets(look))
    sheets.grid(look.word("record_sheet"), registers.all_records(look))


def _evidence(sheets: _Sheets) -> None:
    sheets.grid(sheets.look.word("evidence_sheet"), registers.evidence(sheets.look))


def _statistics(sheets: _Sheets) -> None:
    """Write the counts of each class as numbers, with a wheel and a line drawn from them."""
    look = sheets.look
    columns = [
        Column(look.word("class"), 6),
        *(Column(text.into(look.language), 3) for text in STATUSES.values()),
        Column(look.word("radar_rate"), 4),
        Column(look.word("radar_judged"), 4),
    ]
    rows = [_statistic(look, one) for one in look["classes"]]
    name = look.word("statistics")
    sheet = sheets.table(name, columns, rows)
    if rows:
        wheel = sheets.book.add_chart({"type": "radar"})
        _draw(sheets, wheel, name, (1, len(rows)), (6, 7))
        wheel.set_title({"name": look.word("radar")})
        sheet.insert_chart(len(rows) + 2, 0, wheel, {"x_scale": 1.3, "y_scale": 1.5})
    moments: list[list[Cell]] = [
        [day_of(one["made_at"]), float(share_of(one["rate"])), float(judged_share(one))]
        for one in look["trend"]
    ]
    if len(moments) > 1:
        _trend(sheets, moments)


def _trend(sheets: _Sheets, moments: Sequence[Sequence[Cell]]) -> None:
    look = sheets.look
    name = look.word("trend")
    columns = look.columns(made=4, radar_rate=4, radar_judged=4)
    sheet = sheets.table(name, columns, moments)
    line = sheets.book.add_chart({"type": "line"})
    _draw(sheets, line, name, (1, len(moments)), (1, 2))
    line.set_title({"name": name})
    sheet.insert_chart(1, 4, line)


def _draw(
    sheets: _Sheets, chart: Any, name: str, rows: tuple[int, int], columns: Sequence[int]
) -> None:
    for column, word in zip(columns, ("radar_rate", "radar_judged"), strict=True):
        chart.add_series(
            {
                "name": sheets.look.word(word),
                "categories": [name, rows[0], 0, rows[1], 0],
                "values": [name, rows[0], column, rows[1], column],
            }
        )


def _statistic(look: Look, one: Mapping[str, Any]) -> list[Cell]:
    counts = [int(one["counts"][status]) for status in STATUSES]
    return [
        look.text(one["title"]),
        *counts,
        float(share_of(one["rate"])),
        float(judged_share(one)),
    ]


def _units(sheets: _Sheets) -> None:
    """Write D, A and K of every object of every unit, as far as they were judged."""
    look = sheets.look
    columns = [
        Column(look.word("unit"), 4),
        Column(look.word("object_name"), 5),
        *(Column(look.word(name), 3) for name in ("effective", "algorithm", "keys", "value")),
    ]
    rows = [
        [
            look.text(item["id"]),
            look.text(one["name"] or one["id"]),
            *(look.text((one["dak"] or {}).get(name)) for name in ("d", "a", "k")),
            look.text(item["value"]),
        ]
        for item in look["items"]
        for one in item["objects"]
    ]
    sheets.table("D A K", columns, rows)
