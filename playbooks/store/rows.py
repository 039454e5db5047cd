"""From rows to values and back; JSON columns are canonical enough to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from secops.kernel.pages import PageRequest


def to_json(value: Any) -> str:
    """Return ``value`` (dataclasses too) as JSON text with sorted keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def from_json(text: str) -> Any:
    """Return the value that ``to_json`` wrote."""
    return orjson.loads(text)


def fields_of(row: Any, *json_columns: str) -> dict[str, Any]:
    """Return the columns of ``row`` as arguments, with JSON columns read."""
    values: Mapping[str, Any] = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return {k: from_json(v) if k in json_columns else v for k, v in values.items()}


def newest_first(statement: Any, columns: Sequence[Any], page: PageRequest) -> Any:
    """Return ``statement`` ordered by ``columns`` (time, id) downwards after the cursor."""
    if (after := page.key(int, str)) is not None:
        statement = statement.where(sa.tuple_(*columns) < sa.tuple_(*after))
    order = [column.desc() for column in columns]
    return statement.order_by(*order).limit(page.limit + 1)
