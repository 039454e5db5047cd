"""Workbooks (XLSX, ECMA-376): texts in, texts out; nothing that computes, runs or links."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from xml.etree.ElementTree import ParseError
from zlib import error as DeflateError  # noqa: N812 - a class by another name

from audits.errors import TableRefused
from audits.models.systems import MAX_TABLE_COLUMNS, MAX_TABLE_FILE, MAX_TABLE_SHEETS

_MAX_PARTS: Final = 200
_MAX_INFLATED: Final = 64 << 20
_MAX_LINES: Final = 20_000
_FORBIDDEN: Final = (
    "vbaproject",
    "macrosheets/",
    "externallinks/",
    "embeddings/",
    "activex/",
    "ctrlprops/",
)
"""Parts of a workbook that run, link or embed; compared in lower case."""
_MACRO_TYPE: Final = b"macroenabled"


class Workbooks:
    """Implements ``audits.ports.systems.Spreadsheets`` with openpyxl and XlsxWriter."""

    def read(self, content: bytes) -> Mapping[str, Sequence[Sequence[str]]]:
        """Return the sheets; raise ``TableRefused`` for formulas, macros, links and bombs."""
        _look_into(content)
        from openpyxl import load_workbook  # noqa: PLC0415 - slow, and few commands need it

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what Excel decorates with is nothing to us
                book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
                try:
                    sheets = book.worksheets
                    if len(sheets) > MAX_TABLE_SHEETS:
                        raise TableRefused(f"a workbook has at most {MAX_TABLE_SHEETS} sheets")
                    return {sheet.title: _rows(sheet) for sheet in sheets}
                finally:
                    book.close()
        except (
            ArithmeticError, AttributeError, LookupError, OSError, ParseError, SyntaxError,
            TypeError, ValueError, zipfile.BadZipFile, DeflateError,
        ) as error:  # fmt: skip
            # openpyxl raises what its parser happens to meet in a malformed part
            raise TableRefused("the workbook is damaged") from error

    def write(self, sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
        """Return a workbook whose cells are texts and nothing else."""
        import xlsxwriter  # noqa: PLC0415 - slow, and few commands need it

        packed = io.BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(packed, options) as book:
            bold = book.add_format({"bold": True, "text_wrap": True})
            for name, rows in sheets.items():
                sheet = book.add_worksheet(name)
                sheet.freeze_panes(1, 0)
                for place, row in enumerate(rows):
                    for column, text in enumerate(row):
                        sheet.write_string(place, column, text, None if place else bold)
                sheet.set_column(0, max((len(row) for row in rows), default=1), 16)
        return packed.getvalue()


def _look_into(content: bytes) -> None:
    """Raise ``TableRefused`` for a package that is too large, runs, links or defines entities."""
    if len(content) > MAX_TABLE_FILE:
        raise TableRefused(f"a file has at most {MAX_TABLE_FILE >> 20} MiB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
            if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_INFLATED:
                raise TableRefused("the workbook is too large once unpacked")
            for part in parts:
                _look_at(part.filename.lower(), package.read(part))
    except (
        zipfile.BadZipFile, DeflateError, EOFError, NotImplementedError, OSError,
        RuntimeError, ValueError,
    ) as error:  # fmt: skip
        raise TableRefused("the file is no workbook") from error


def _look_at(name: str, content: bytes) -> None:
    if any(word in name for word in _FORBIDDEN):
        raise TableRefused("the workbook holds macros, embedded objects or external links")
    if not name.endswith((".xml", ".rels", ".vml")):
        return
    if b"\0" in content or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        # UTF-16 would hide the words from us, and entities are how XML is made to swell
        raise TableRefused("the workbook's XML is not plain UTF-8 without entities")
    if name == "[content_types].xml" and _MACRO_TYPE in content.lower():
        raise TableRefused("the workbook may hold macros")


def _rows(sheet: Any) -> list[list[str]]:
    sheet.reset_dimensions()  # what a sheet says of its own size is not believed
    rows = []
    for number, row in enumerate(sheet.iter_rows(max_col=MAX_TABLE_COLUMNS + 1), start=1):
        if number > _MAX_LINES:
            raise TableRefused(f"a sheet has at most {_MAX_LINES} lines, empty ones too")
        texts = [_text(cell) for cell in row]
        while texts and not texts[-1]:
            texts.pop()  # a row is given as wide as was asked for
        rows.append(texts)
    return rows


def _text(cell: Any) -> str:
    if cell.data_type == "f":
        raise TableRefused(f"the cell {cell.coordinate} holds a formula")
    if cell.data_type == "e":
        raise TableRefused(f"the cell {cell.coordinate} holds an error")
    value = cell.value
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
