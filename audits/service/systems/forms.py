"""What a form or a page of the register needs to know of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from audits.core.register.dates import STANDINGS
from audits.core.register.fields import (
    ASSET_FIELDS,
    DETAIL_FIELDS,
    MAX_LONG,
    MAX_TEXT,
    SYSTEM_FIELDS,
    Field,
    shown_texts,
)
from audits.core.register.records import last_day
from audits.core.register.suppliers import ACCESS_FIELDS
from audits.models.systems import RegisterVersion
from secops.kernel.catalogue import Language, Text

__all__ = [
    "FIELDS",
    "MAX_TEXT",
    "STANDINGS",
    "FormField",
    "VersionRow",
    "last_day",
    "shown",
    "version_rows",
]

FormKind = Literal["text", "long", "date", "choice", "several"]
_DATES: Final = frozenset({"filed_at", "tested_at", "starts_at", "ends_at"})
_LONG: Final = frozenset(
    {
        "business", "connections", "hosting", "products", "expert_review", "superior",
        "algorithms", "measures", "s_harm", "a_harm",
    }
)  # fmt: skip
_SEVERAL: Final = frozenset({"extensions", "uses"})
_NEEDED: Final = frozenset(
    {"name", "s_level", "a_level", "kind", "supplier", "person", "purpose", "starts_at", "ends_at"}
)
_LEVELS: Final = {str(n): Text(str(n), str(n)) for n in range(1, 6)}
_WORDS: Final[Mapping[str, Mapping[str, Text]]] = {
    "s_level": _LEVELS,
    "a_level": _LEVELS,
    "importance": _LEVELS,
}
_EXTRA: Final[Mapping[str, Text]] = {
    "retired_reason": Text("停用原因", "Why it was retired"),
    "system_id": Text("系统", "System"),
    "ended_at": Text("终止日期", "Ended on"),
}


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form: its title, how it is entered, its values where they are few."""

    name: str
    title: Text
    kind: FormKind
    words: Mapping[str, Text]
    needed: bool
    most: int


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version: when, by whom, what changed as (title, before, after)."""

    version: int
    at: int
    by: str
    action: str
    changes: tuple[tuple[Text, str, str], ...]


def _form(fields: Mapping[str, Field]) -> tuple[FormField, ...]:
    return tuple(_field(field) for field in fields.values())


def _field(field: Field) -> FormField:
    words = {str(key): text for key, text in field.words.items()} or _WORDS.get(field.name, {})
    kind: FormKind = "choice" if words else "text"
    if field.name in _SEVERAL:
        kind = "several"
    elif field.name in _DATES:
        kind = "date"
    elif field.name in _LONG:
        kind = "long"
    most = MAX_LONG if field.name in DETAIL_FIELDS or kind == "long" else MAX_TEXT
    return FormField(field.name, field.title, kind, words, field.name in _NEEDED, most)


FIELDS: Final[Mapping[str, tuple[FormField, ...]]] = {
    "system": _form(SYSTEM_FIELDS),
    "details": _form(DETAIL_FIELDS),
    "asset": _form(ASSET_FIELDS),
    "supplier_access": _form(ACCESS_FIELDS),
}
_ALL: Final = {**SYSTEM_FIELDS, **DETAIL_FIELDS, **ACCESS_FIELDS, **ASSET_FIELDS}


def shown(texts: Mapping[str, str], language: Language) -> dict[str, str]:
    """Return fields' texts with the titles of their values."""
    return shown_texts(_ALL, texts, language)


def version_rows(versions: Sequence[RegisterVersion], language: Language) -> list[VersionRow]:
    """Return versions, newest first, each with what differs from the one before it."""
    rows = []
    for place, version in enumerate(versions):
        now = _content(version, language)
        older = _content(versions[place + 1], language) if place + 1 < len(versions) else {}
        changed = tuple(
            (_title(name), older.get(name, ""), text)
            for name, text in now.items()
            if text != older.get(name, "")
        )
        rows.append(VersionRow(version.version, version.at, version.by, version.action, changed))
    return rows


def _content(version: RegisterVersion, language: Language) -> dict[str, str]:
    return shown({name: str(text) for name, text in version.content.items()}, language)


def _title(name: str) -> Text:
    return _ALL[name].title if name in _ALL else _EXTRA[name]
