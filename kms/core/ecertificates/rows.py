"""Read the rows of a batch: CSV (UTF-8 or GB18030) or JSON Lines, within limits."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from kms.core.ecertificates.refusals import ECertificateError, refuse
from kms.core.ecertificates.values import clean_values
from kms.models.ecertificates import TemplateField

MAX_ROWS: Final = 2_000
MAX_FILE: Final = 4 << 20
"""Bytes of a file of rows."""
NUMBER: Final = "number"
_NUMBER_TITLE: Final = "证照编号"
_BOM: Final = b"\xef\xbb\xbf"
_MAX_COLUMNS: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the holder's values by field, and the number where the file gives it."""

    values: dict[str, str]
    number: str = ""


def read_rows(content: bytes, fields: Sequence[TemplateField]) -> list[Row]:
    """Return the rows of a file; raise ``ECertificateError`` for one that can't be read."""
    if len(content) > MAX_FILE:
        raise refuse(f"文件至多 {MAX_FILE >> 20} MiB", f"a file has at most {MAX_FILE >> 20} MiB")
    text = _decoded(content)
    source = _json_rows(text) if text.lstrip().startswith("{") else _csv_rows(text, fields)
    rows = list(itertools.islice(source, MAX_ROWS + 1))
    if len(rows) > MAX_ROWS:
        raise refuse(f"每批至多 {MAX_ROWS} 行", f"a batch has at most {MAX_ROWS} rows")
    if not rows:
        raise refuse("文件中没有数据行", "the file has no rows")
    return [_row(each) for each in rows]


def _row(values: dict[str, str]) -> Row:
    cleaned = clean_values(values)
    return Row(cleaned, cleaned.pop(NUMBER, ""))


def _decoded(content: bytes) -> str:
    try:
        return content.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise refuse("编码须为 UTF-8 或 GB18030", "the text is UTF-8 or GB18030") from error


def _json_rows(text: str) -> Iterator[dict[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found: Any = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise _bad_line(number) from error
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise _bad_line(number)
        yield found


def _bad_line(number: int) -> ECertificateError:
    return refuse(
        f"第 {number} 行不是由文本组成的 JSON 对象", f"line {number} is no object of texts"
    )


def _csv_rows(text: str, fields: Sequence[TemplateField]) -> Iterator[dict[str, str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = _header(next(reader, []), fields)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(names):
                raise refuse(
                    f"第 {reader.line_num} 行有 {len(row)} 列,表头有 {len(names)} 列",
                    f"line {reader.line_num} has {len(row)} columns, the header {len(names)}",
                )
            yield dict(zip(names, row, strict=True))
    except csv.Error as error:
        line = reader.line_num
        raise refuse(f"第 {line} 行不是有效的 CSV", f"line {line} is no CSV") from error


def _header(header: Sequence[str], fields: Sequence[TemplateField]) -> list[str]:
    """Return the fields' names that the first line gives, by name or title, each once."""
    if not 0 < len(header) <= _MAX_COLUMNS:
        raise refuse("第一行须为表头", "the first line names the columns")
    titles = {field.title: field.name for field in fields} | {_NUMBER_TITLE: NUMBER}
    names = [titles.get(cell.strip(), cell.strip()) for cell in header]
    if len(set(names)) != len(names):
        raise refuse("表头有重复的列", "a column is there twice")
    return names
