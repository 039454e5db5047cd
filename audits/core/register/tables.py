"""Tables of the register: what each row says, what is wrong with it, how rows are written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from audits.core.register.fields import (
    ASSET_FIELDS,
    DETAIL_FIELDS,
    SYSTEM_FIELDS,
    Fault,
    asset_texts,
    read_fields,
    shown_texts,
    system_texts,
)
from audits.core.texts import decoded
from audits.errors import TableRefused
from audits.models.systems import MAX_TABLE_COLUMNS, Asset, System
from secops.kernel.catalogue import Language, Text

MAX_ROWS: Final = 2_000
MAX_CELL: Final = 2_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Kind = Literal["systems", "assets"]
SHEETS: Final[Mapping[Kind, Text]] = {
    "systems": Text("系统", "Systems"),
    "assets": Text("资产", "Assets"),
}
_ID: Final = Text("编号", "Id")
_VERSION: Final = Text("版本", "Version")
_SYSTEM: Final = Text("所属系统", "Of system")
_SYSTEM_TITLES: Final[Mapping[str, Text]] = {
    "id": _ID,
    "version": _VERSION,
    **{field.name: field.title for field in (*SYSTEM_FIELDS.values(), *DETAIL_FIELDS.values())},
}
_ASSET_TITLES: Final[Mapping[str, Text]] = {
    "id": _ID,
    "version": _VERSION,
    "system": _SYSTEM,
    **{field.name: field.title for field in ASSET_FIELDS.values()},
}
TITLES: Final[Mapping[Kind, Mapping[str, Text]]] = {
    "systems": _SYSTEM_TITLES,
    "assets": _ASSET_TITLES,
}
NEEDED: Final[Mapping[Kind, Sequence[str]]] = {
    "systems": ("name", "s_level", "a_level"),
    "assets": ("system", "name", "kind"),
}
_FIELDS: Final = {
    "systems": {**SYSTEM_FIELDS, **DETAIL_FIELDS},
    "assets": dict(ASSET_FIELDS),
}


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a sheet (the heading is row 1): its texts by field, and what is wrong with it."""

    kind: Kind
    number: int
    written: Mapping[str, str]
    faults: tuple[Fault, ...] = ()

    @property
    def object_id(self) -> str:
        """The id that the row is for, empty for a new one."""
        return self.written.get("id", "")

    @property
    def values(self) -> dict[str, str]:
        """The texts of the fields themselves."""
        return {k: v for k, v in self.written.items() if k not in ("id", "version", "system")}


@dataclass(frozen=True, slots=True)
class RegisterTable:
    """All rows of a file; ``ignored`` are sheets and headings that nothing is known of."""

    rows: tuple[TableRow, ...]
    ignored: tuple[str, ...]


def read_csv(content: bytes) -> Mapping[str, Sequence[Sequence[str]]]:
    """Return the one sheet of a CSV file, UTF-8 or GB 18030; raise ``TableRefused``."""
    text = decoded(content)
    if text is None or "\0" in text:
        raise TableRefused("the file is neither UTF-8 nor GB 18030 text, nor a workbook")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise TableRefused(f"the file is no table: {error}") from error
    return {"": rows}


def read_table(
    sheets: Mapping[str, Sequence[Sequence[str]]], *, guarded: bool = False
) -> RegisterTable:
    """Return the rows of ``sheets``, each checked by itself; raise ``TableRefused``.

    ``guarded`` texts come from CSV: one that begins like a formula is refused, one with an
    apostrophe before it is that text.
    """
    rows: list[TableRow] = []
    ignored: list[str] = []
    for name, lines in sheets.items():
        heading = [cell.strip() for cell in lines[0]] if lines else []
        kind = _kind_of(name, heading)
        if kind is None:
            ignored.append(name)
            continue
        columns = _columns(kind, heading)
        ignored += [title for place, title in enumerate(heading) if title and place not in columns]
        for number, line in enumerate(lines[1:], start=2):
            if any(cell.strip() for cell in line):
                rows.append(_row(kind, number, _texts(line, columns), guarded=guarded))
    if not rows or len(rows) > MAX_ROWS:
        raise TableRefused(f"a file holds 1 to {MAX_ROWS} rows of systems or assets under headings")
    return RegisterTable(tuple(_repeats(rows)), tuple(ignored))


def _kind_of(name: str, heading: Sequence[str]) -> Kind | None:
    """Return what a sheet holds, by its name, else by its headings."""
    for kind, title in SHEETS.items():
        if name.casefold() in (title.zh, title.en.casefold(), kind):
            return kind
    named = {title.casefold() for title in heading}
    for kind in ("assets", "systems"):
        titles = TITLES[kind]
        forms = [
            {name, titles[name].zh.casefold(), titles[name].en.casefold()} for name in NEEDED[kind]
        ]
        if all(form & named for form in forms):
            return kind
    return None


def _columns(kind: Kind, heading: Sequence[str]) -> dict[int, str]:
    if len(heading) > MAX_TABLE_COLUMNS:
        raise TableRefused(f"a sheet has at most {MAX_TABLE_COLUMNS} columns")
    known = {
        form.casefold(): name
        for name, title in TITLES[kind].items()
        for form in (name, title.zh, title.en)
    }
    columns = {
        place: known[title.casefold()]
        for place, title in enumerate(heading)
        if title.casefold() in known
    }
    if len(set(columns.values())) < len(columns):
        raise TableRefused("two columns have one heading")
    return columns


def _texts(line: Sequence[str], columns: Mapping[int, str]) -> dict[str, str]:
    return {name: line[place] if place < len(line) else "" for place, name in columns.items()}


def _row(kind: Kind, number: int, cells: Mapping[str, str], *, guarded: bool) -> TableRow:
    faults: list[Fault] = []
    written: dict[str, str] = {}
    for name, cell in cells.items():
        text = cell
        if guarded and text.lstrip(" ").startswith(_FORMULA):
            faults.append(Fault(name, _LIKE_FORMULA))
            continue
        if guarded and text.startswith("'") and text[1:].startswith(_FORMULA):
            text = text[1:]
        if len(text) > MAX_CELL:
            faults.append(Fault(name, _TOO_LONG))
            continue
        written[name] = text.strip()
    if not written.get("id"):
        written = {name: text for name, text in written.items() if text}
        faults += [Fault(name, _NEEDED) for name in NEEDED[kind] if name not in written]
    elif not _is_version(written.get("version", "")):
        faults.append(Fault("version", _VERSIONS))
    faults += read_fields(_FIELDS[kind], written)[1]
    return TableRow(kind, number, written, tuple(_once(faults)))


def _is_version(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9  # noqa: PLR2004 - digits


def _once(faults: Iterable[Fault]) -> list[Fault]:
    """Keep the first fault of each field."""
    return list({fault.field: fault for fault in reversed(list(faults))}.values())[::-1]


def _repeats(rows: Sequence[TableRow]) -> list[TableRow]:
    """Mark rows whose id or name stands in an earlier row."""
    seen: dict[tuple[str, ...], int] = {}
    checked = []
    for row in rows:
        faults = list(row.faults)
        keys = {
            "id": (row.kind, "id", row.object_id),
            "name": (row.kind, row.written.get("system", ""), row.written.get("name", "")),
        }
        for field, key in keys.items():
            if not key[-1]:
                continue
            if key in seen:
                what = Text(f"与第 {seen[key]} 行重复", f"The same as in row {seen[key]}")
                faults.append(Fault(field, what))
            seen.setdefault(key, row.number)
        checked.append(TableRow(row.kind, row.number, row.written, tuple(faults)))
    return checked


def system_rows(systems: Sequence[System], language: Language) -> list[list[str]]:
    """Return systems as rows of texts under their headings."""
    heading = [title.into(language) for title in _SYSTEM_TITLES.values()]
    rows = [
        {"id": s.id, "version": str(s.version), **_shown("systems", system_texts(s), language)}
        for s in systems
    ]
    return [heading, *([row[name] for name in _SYSTEM_TITLES] for row in rows)]


def asset_rows(
    assets: Sequence[Asset], names: Mapping[str, str], language: Language
) -> list[list[str]]:
    """Return assets as rows of texts under their headings; ``names`` are those of systems."""
    heading = [title.into(language) for title in _ASSET_TITLES.values()]
    rows = [
        {
            "id": asset.id,
            "version": str(asset.version),
            "system": names[asset.system_id],
            **_shown("assets", asset_texts(asset), language),
        }
        for asset in assets
    ]
    return [heading, *([row[name] for name in _ASSET_TITLES] for row in rows)]


def _shown(kind: Kind, texts: Mapping[str, str], language: Language) -> dict[str, str]:
    return shown_texts(_FIELDS[kind], texts, language)


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as CSV (UTF-8 with BOM) in which no cell is computed by a spreadsheet."""
    lines = io.StringIO()
    csv.writer(lines).writerows([[harmless(cell) for cell in row] for row in rows])
    return "\ufeff".encode() + lines.getvalue().encode()


def harmless(text: str) -> str:
    """Return ``text`` with an apostrophe before what a spreadsheet would compute."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def title_of(kind: Kind, field: str) -> Text:
    """Return the heading of a field."""
    return TITLES[kind][field]


_LIKE_FORMULA: Final = Text(
    "以 = + - @ 开头,像公式;确为文本时请在前面加英文单引号",
    "It begins like a formula (= + - @); write an apostrophe before it if it is text",
)
_TOO_LONG: Final = Text(f"至多 {MAX_CELL} 个字符", f"It has at most {MAX_CELL} characters")
_NEEDED: Final = Text("不能为空", "It may not be empty")
_VERSIONS: Final = Text(
    "有编号的行须带导出时的版本", "A row with an id has the version it was exported with"
)
