"""The data of one holder: checked against the template, and masked for those who may not see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from kms.models.ecertificates import TemplateField
from secops.kernel.catalogue import Text
from secops.kernel.clock import BEIJING, to_rfc3339

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_LONG: Final = 6
_ENDS: Final = 2


def clean_values(values: Mapping[str, str]) -> dict[str, str]:
    """Return ``values`` without space around them and without empty ones."""
    stripped = {name: value.strip() for name, value in values.items()}
    return {name: value for name, value in stripped.items() if value}


def check_values(
    fields: Sequence[TemplateField], values: Mapping[str, str]
) -> Iterator[tuple[str, Text]]:
    """Yield (field, why) for all that is wrong with cleaned ``values``."""
    known = {field.name for field in fields}
    for name in values:
        if name not in known:
            yield name[:60], Text("模板中没有此数据项", "the template has no such field")
    for field in fields:
        value = values.get(field.name, "")
        if not value:
            if field.required:
                yield field.name, Text("必填", "is required")
        elif (why := _wrong(field, value)) is not None:
            yield field.name, why


def _wrong(field: TemplateField, value: str) -> Text | None:
    if not value.isprintable():
        return Text("含有不可打印的字符", "has characters that can't be printed")
    if len(value) > field.max_length:
        most = field.max_length
        return Text(f"超过 {most} 个字符", f"has more than {most} characters")
    if field.kind == "date" and not _is_date(value):
        return Text("须为日期,如 2026-01-31", "is a date such as 2026-01-31")
    if field.kind == "number" and not _NUMBER.fullmatch(value):
        return Text("须为数字", "is a number")
    if field.kind == "choice" and value not in field.choices:
        return Text("不在可选值之中", "is not one of the choices")
    return None


def _is_date(value: str) -> bool:
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def chinese_date(instant: int) -> str:
    """Return the day of ``instant`` in Beijing, as licences write it."""
    year, month, day = to_rfc3339(instant + BEIJING)[:10].split("-")
    return f"{year}年{int(month)}月{int(day)}日"


def mask(value: str) -> str:
    """Return ``value`` with at most a third of it readable: its first letters, and its last.

    Of a single letter nothing, of a short value the first, of a long one up to two at each end.
    """
    ends = min(_ENDS, len(value) // _LONG)
    first = ends or int(len(value) > 1)
    return value[:first] + "*" * (len(value) - first - ends) + value[len(value) - ends :]


def public_values(
    fields: Sequence[TemplateField], values: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield (title, text) of what the verification page shows."""
    for field in fields:
        value = values.get(field.name, "")
        if value and field.public != "hidden":
            yield field.title, value if field.public == "shown" else mask(value)
