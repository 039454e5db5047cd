"""Decodes a table of people, finds its columns, and checks each row by itself. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, cast

from iam.core.names import check_name, document_text, folded_name
from iam.errors import IdentityInvalid, ImportRefused
from iam.models.accounts import AccountKind, DocumentType, IdentityDocument, NewAccount
from iam.models.imports import PeopleTable, PersonRow, RowFault
from secops.kernel.catalogue import Text

MAX_BYTES: Final = 8 << 20
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 40
MAX_CELL: Final = 500
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
_DELIMITERS: Final = (",", "\t", ";")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("账号", "登录名", "用户名", "name", "account", "login"),
    "full_name": ("姓名", "名字", "full_name", "fullname", "real name"),
    "document_type": ("证件类型", "document_type"),
    "document_number": (
        "证件号码",
        "身份证号",
        "身份证号码",
        "公民身份号码",
        "document_number",
        "id",
    ),
    "organisation": ("单位", "机构", "部门", "organisation", "organization", "department"),
    "post": ("职务", "岗位", "post", "title"),
    "kind": ("类别", "人员类别", "kind"),
}
"""What a column may be headed, by the field it fills."""
_DOCUMENTS: Final[Mapping[str, DocumentType]] = {
    "": "cn-id",
    "身份证": "cn-id",
    "居民身份证": "cn-id",
    "cn-id": "cn-id",
    "护照": "passport",
    "passport": "passport",
    "其他": "other",
    "other": "other",
}
_KINDS: Final[Mapping[str, AccountKind]] = {
    "": "civil",
    "公务人员": "civil",
    "civil": "civil",
    "自然人": "natural",
    "natural": "natural",
}


def decode(content: bytes) -> tuple[str, str]:
    """Return the text and its encoding, UTF-8 before GB18030; raise ``ImportRefused``."""
    if len(content) > MAX_BYTES:
        msg = f"the file is larger than {MAX_BYTES >> 20} MiB"
        raise ImportRefused(msg)
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, "utf-8" if encoding == "utf-8-sig" else encoding
    msg = "the file is neither UTF-8 nor GB18030 text"
    raise ImportRefused(msg)


def read_people(content: bytes, today: date, given: Mapping[str, str] | None = None) -> PeopleTable:
    """Return the table with every row checked by itself; raise ``ImportRefused``.

    ``given`` maps fields to headings where the headings are none of ours.
    """
    text, encoding = decode(content)
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        msg = f"the file is no table: {error}"
        raise ImportRefused(msg) from error
    if len(lines) < 2 or len(lines) - 1 > MAX_ROWS or len(lines[0]) > MAX_COLUMNS:  # noqa: PLR2004 - heading and a row
        msg = f"a heading and 1 to {MAX_ROWS} rows of at most {MAX_COLUMNS} columns are needed"
        raise ImportRefused(msg)
    heading = [cell.strip() for cell in lines[0]]
    columns = _columns(heading, given or {})
    if "name" not in columns:
        msg = "no column holds login names (账号, 登录名, 用户名, name)"
        raise ImportRefused(msg)
    places = {field: heading.index(title) for field, title in columns.items()}
    rows = [
        _row(number, line, places, today)
        for number, line in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in line)
    ]
    unknown = tuple(title for title in heading if title and title not in columns.values())
    return PeopleTable(encoding, delimiter, columns, unknown, tuple(_repeats(rows)))


def _columns(heading: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, title in given.items():
        if field not in FIELDS or title not in heading:
            msg = f"no column is headed {title[:64]!r}, or {field[:64]!r} is no field"
            raise ImportRefused(msg)
        found[field] = title
    for field, titles in FIELDS.items():
        known = {title.casefold() for title in titles}
        match = next((title for title in heading if title.casefold() in known), None)
        if match is not None:
            found.setdefault(field, match)
    return found


def _row(number: int, line: Sequence[str], places: Mapping[str, int], today: date) -> PersonRow:
    cells = {
        field: line[place].strip() if place < len(line) else "" for field, place in places.items()
    }
    faults: list[RowFault] = []
    if any(len(cell) > MAX_CELL for cell in cells.values()):
        return PersonRow(number, "", None, (_TOO_LONG,))
    name = cells.get("name", "")
    _try(faults, "name", lambda: check_name(name))
    kind = _KINDS.get(cells.get("kind", ""))
    if kind is None:
        faults.append(_UNKNOWN_KIND)
    document = _document(cells, faults, today)
    new = None
    if not faults:
        new = NewAccount(
            name=name,
            kind=cast("AccountKind", kind),
            full_name=cells.get("full_name", ""),
            document=document,
            organisation=cells.get("organisation", ""),
            post=cells.get("post", ""),
        )
    return PersonRow(number, name, new, tuple(faults))


def _document(
    cells: Mapping[str, str], faults: list[RowFault], today: date
) -> IdentityDocument | None:
    number = cells.get("document_number", "")
    if not number:
        return None
    kind = _DOCUMENTS.get(cells.get("document_type", "").casefold())
    if kind is None:
        faults.append(_UNKNOWN_DOCUMENT)
        return None
    document = IdentityDocument(kind, number)
    _try(faults, "document_number", lambda: document_text(document, today))
    return document


def _try(faults: list[RowFault], column: str, check: Callable[[], object]) -> None:
    try:
        check()
    except IdentityInvalid as error:
        faults.append(
            RowFault(column, Text("格式不正确", "Malformed: " + error.detail), error.remedy)
        )


def _repeats(rows: Sequence[PersonRow]) -> list[PersonRow]:
    """Mark rows whose login name or document stands in an earlier row."""
    names: dict[str, int] = {}
    documents: dict[tuple[str, str], int] = {}
    checked = []
    for row in rows:
        faults = list(row.faults)
        folded = folded_name(row.name)
        if row.name and folded in names:
            faults.append(repeated("name", names[folded]))
        names.setdefault(folded, row.number)
        document = row.new.document if row.new else None
        if document is not None:
            key = (document.type, document.number.upper())
            if key in documents:
                faults.append(repeated("document_number", documents[key]))
            documents.setdefault(key, row.number)
        checked.append(PersonRow(row.number, row.name, row.new, tuple(faults)))
    return checked


def repeated(column: str, number: int) -> RowFault:
    """Return the fault of a value that stands in row ``number`` already."""
    return RowFault(
        column,
        Text(f"与第 {number} 行重复", f"The same as in row {number}"),
        Text("请保留其中一行。", "Keep one of the rows."),
    )


_TOO_LONG: Final = RowFault(
    "",
    Text("单元格过长", "A cell is too long"),
    Text(f"每格至多 {MAX_CELL} 个字符。", f"At most {MAX_CELL} characters in a cell."),
)
_UNKNOWN_KIND: Final = RowFault(
    "kind",
    Text("人员类别无法识别", "Unknown kind of person"),
    Text("请填写“公务人员”或“自然人”,或留空。", "Write civil or natural, or nothing."),
)
_UNKNOWN_DOCUMENT: Final = RowFault(
    "document_type",
    Text("证件类型无法识别", "Unknown kind of document"),
    Text("请填写身份证、护照或其他。", "Write cn-id, passport or other."),
)
