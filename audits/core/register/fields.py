"""How each field of the register is written as text and read back, with its bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from unicodedata import category

from audits.core.register.dates import date_text, read_date
from audits.models.systems import (
    ASSET_KINDS,
    DATA_GRADES,
    EXTENSIONS,
    FILING_DETAILS,
    PLATFORM_SERVICES,
    Asset,
    System,
)
from secops.kernel.catalogue import Language, Text

MAX_TEXT: Final = 200
MAX_LONG: Final = 1_000
MAX_LIST: Final = 50
MAX_LEVEL: Final = 5
MAX_IMPORTANCE: Final = 5
_SEPARATORS: Final = str.maketrans("；\n", ";;")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field."""

    field: str
    what: Text


class Unreadable(Exception):
    """A text is not one of the field's."""

    def __init__(self, what: Text) -> None:
        """Keep what is wrong with it."""
        super().__init__(what.en)
        self.what = what


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its title, how it is read from a text, how written as one.

    ``words`` are the titles of its values, where it has but a few.
    """

    name: str
    title: Text
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    words: Mapping[Any, Text] = field(default_factory=dict)


def _text(most: int, *, needed: bool = False) -> Callable[[str], str]:
    def read(text: str) -> str:
        if needed and not text:
            raise Unreadable(Text("不能为空", "It may not be empty"))
        if len(text) > most:
            raise Unreadable(Text(f"至多 {most} 个字符", f"It has at most {most} characters"))
        if any(category(letter)[0] == "C" for letter in text.replace("\n", "")):
            raise Unreadable(Text("含有不可见字符", "It holds invisible characters"))
        return text

    return read


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if len(text) != 1 or not text.isascii() or not text.isdigit():
            text = ""
        if not text or not least <= int(text) <= most:
            raise Unreadable(
                Text(f"应为 {least} 至 {most} 的数字", f"It is a number from {least} to {most}")
            )
        return int(text)

    return read


def _importance(text: str) -> int:
    return _number(1, MAX_IMPORTANCE)(text) if text else 0


def _one_of(words: Mapping[Any, Text], *, needed: bool) -> Callable[[str], str]:
    by_word: dict[str, str] = {
        form.casefold(): key for key, text in words.items() for form in (text.zh, text.en)
    }
    by_word |= {key.casefold(): key for key in words}

    def read(text: str) -> str:
        if not text and not needed:
            return ""
        if text.casefold() not in by_word:
            zh = "、".join(each.zh for each in words.values())
            raise Unreadable(Text(f"应为其中之一:{zh}", f"It is one of {', '.join(words)}"))
        return by_word[text.casefold()]

    return read


def _several_of(words: Mapping[Any, Text]) -> Callable[[str], tuple[str, ...]]:
    one = _one_of(words, needed=True)

    def read(text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one(part) for part in _parts(text)))

    return read


def _names(text: str) -> tuple[str, ...]:
    parts = tuple(dict.fromkeys(_parts(text)))
    if len(parts) > MAX_LIST:
        raise Unreadable(Text(f"至多 {MAX_LIST} 项", f"There are at most {MAX_LIST}"))
    read = _text(MAX_TEXT)
    return tuple(read(part) for part in parts)


def _parts(text: str) -> Sequence[str]:
    return [part.strip() for part in text.translate(_SEPARATORS).split(";") if part.strip()]


def _date(text: str) -> int:
    if not text:
        return 0
    found = read_date(text)
    if found is None:
        raise Unreadable(Text("日期应为 2026-03-01 的形式", "A date is like 2026-03-01"))
    return found


def _joined(parts: Sequence[str]) -> str:
    return ";".join(parts)


def plain(name: str, zh: str, en: str, most: int = MAX_TEXT, *, needed: bool = False) -> Field:
    """Return a field of plain text."""
    return Field(name, Text(zh, en), _text(most, needed=needed), str)


def dated(name: str, zh: str, en: str) -> Field:
    """Return a field that holds a day."""
    return Field(name, Text(zh, en), _date, date_text)


_GRADE: Final = Field(
    "data_grade",
    Text("数据级别", "Data grade"),
    _one_of(DATA_GRADES, needed=False),
    str,
    DATA_GRADES,
)
SYSTEM_FIELDS: Final[Mapping[str, Field]] = {
    each.name: each
    for each in (
        plain("name", "系统名称", "System", needed=True),
        Field("s_level", Text("S级", "S level"), _number(1, MAX_LEVEL), str),
        Field("a_level", Text("A级", "A level"), _number(1, MAX_LEVEL), str),
        plain("owner", "责任人", "Owner"),
        plain("domain", "业务领域", "Domain"),
        plain("filing_number", "备案号", "Filing number"),
        dated("filed_at", "备案日期", "Filed on"),
        dated("tested_at", "最近等级测评日期", "Last tested on"),
        _GRADE,
        Field(
            "extensions",
            Text("扩展要求", "Extensions"),
            _several_of(EXTENSIONS),
            _joined,
            EXTENSIONS,
        ),
        Field(
            "uses",
            Text("使用的平台服务", "Services used"),
            _several_of(PLATFORM_SERVICES),
            _joined,
            PLATFORM_SERVICES,
        ),
    )
}
DETAIL_FIELDS: Final[Mapping[str, Field]] = {
    name: Field(name, title, _text(MAX_LONG), str) for name, title in FILING_DETAILS.items()
}
ASSET_FIELDS: Final[Mapping[str, Field]] = {
    each.name: each
    for each in (
        plain("name", "资产名称", "Asset", needed=True),
        Field("kind", Text("类别", "Kind"), _one_of(ASSET_KINDS, needed=True), str, ASSET_KINDS),
        plain("address", "地址", "Address"),
        Field(
            "importance",
            Text("重要程度", "Importance"),
            _importance,
            lambda value: str(value) if value else "",
        ),
        plain("department", "责任部门", "Department"),
        plain("owner", "责任人", "Owner"),
        plain("place", "位置", "Place"),
        plain("product", "品牌型号与版本", "Product and version"),
        _GRADE,
        plain("measures", "管理措施", "Measures", MAX_LONG),
        Field("log_sources", Text("日志来源", "Log sources"), _names, _joined),
    )
}


def read_fields(
    fields: Mapping[str, Field], written: Mapping[str, str]
) -> tuple[dict[str, Any], list[Fault]]:
    """Return what the texts ``written`` for ``fields`` say, and what is wrong with the others."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, text in written.items():
        if name not in fields:
            continue
        try:
            values[name] = fields[name].read(text.strip())
        except Unreadable as unreadable:
            faults.append(Fault(name, unreadable.what))
    return values, faults


def strangers(known: Sequence[Mapping[str, Field]], written: Mapping[str, str]) -> list[str]:
    """Return the names in ``written`` that are none of the fields ``known``."""
    return [name for name in written if not any(name in fields for fields in known)]


def system_texts(system: System) -> dict[str, str]:
    """Return a system's fields as texts, details too."""
    texts = {name: field.write(getattr(system, name)) for name, field in SYSTEM_FIELDS.items()}
    return texts | {name: system.details.get(name, "") for name in DETAIL_FIELDS}


def asset_texts(asset: Asset) -> dict[str, str]:
    """Return an asset's fields as texts."""
    return {name: field.write(getattr(asset, name)) for name, field in ASSET_FIELDS.items()}


def shown_texts(
    fields: Mapping[str, Field], texts: Mapping[str, str], language: Language
) -> dict[str, str]:
    """Return ``texts`` of ``fields`` with the titles of their values, as people read them."""
    shown = dict(texts)
    for name, one in fields.items():
        if one.words and shown.get(name):
            shown[name] = _joined([one.words[p].into(language) for p in _parts(shown[name])])
    return shown
