"""From rows to values and back; JSON columns are canonical enough to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from playbooks.errors import ChangedMeanwhile
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

T = TypeVar("T")


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


def newest_page(
    transaction: Transaction,
    statement: Any,
    columns: Sequence[Any],
    page: PageRequest,
    *,
    read: Callable[[Any], T],
) -> Page[T]:
    """Return a page of ``statement`` by ``columns`` (time, id) downwards after the cursor."""
    if (after := page.key(int, str)) is not None:
        statement = statement.where(sa.tuple_(*columns) < sa.tuple_(*after))
    order = [column.desc() for column in columns]
    rows = transaction.execute(statement.order_by(*order).limit(page.limit + 1)).all()
    keys = [tuple(getattr(row, column.name) for column in columns) for row in rows]
    return page_of([read(row) for row in rows], page.limit, keys)


def insert_once(
    transaction: Transaction,
    table: sa.Table,
    values: Mapping[str, Any],
    taken: str = "it was added meanwhile",
) -> None:
    """Insert a row; raise ``ChangedMeanwhile`` where its key is there already."""
    try:
        transaction.execute(table.insert().values(**values))
    except IntegrityError as error:
        raise ChangedMeanwhile(taken) from error


def next_seq(transaction: Transaction, column: Any, mine: Any) -> int:
    """Return the number after the last of ``column`` where ``mine`` holds, 1 at the beginning.

    Writers follow one another, and the rows' key forbids a double.
    """
    last = transaction.execute(sa.select(sa.func.max(column)).where(mine)).scalar()
    return int(last or 0) + 1


def change_one(transaction: Transaction, statement: Any, changed: str) -> None:
    """Change the row that stands as ``statement`` asks; raise ``ChangedMeanwhile`` if none does."""
    if transaction.execute(statement).rowcount != 1:
        raise ChangedMeanwhile(changed)
