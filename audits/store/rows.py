"""From rows to values and back; pages of a list; changes of what was read as it still stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from audits.errors import ChangedMeanwhile
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

T = TypeVar("T")
_AT_ONCE: Final = 500


def to_json(value: Any) -> str:
    """Return ``value`` (dataclasses too) as JSON text with sorted keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def fields_of(row: Any, *json_columns: str) -> dict[str, Any]:
    """Return the columns of ``row`` as arguments, with JSON columns read."""
    values: Mapping[str, Any] = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return {k: orjson.loads(v) if k in json_columns else v for k, v in values.items()}


def newest_page(
    transaction: Transaction,
    statement: Any,
    columns: Sequence[Any],
    page: PageRequest,
    *,
    read: Callable[[Any], T],
) -> Page[T]:
    """Return a page of ``statement`` by ``columns`` (time, id) downwards after the cursor."""
    kinds = [int if isinstance(column.type, sa.Integer) else str for column in columns]
    if (after := page.key(*kinds)) is not None:
        statement = statement.where(sa.tuple_(*columns) < sa.tuple_(*after))
    order = [column.desc() for column in columns]
    rows = transaction.execute(statement.order_by(*order).limit(page.limit + 1)).all()
    keys = [tuple(getattr(row, column.name) for column in columns) for row in rows]
    return page_of([read(row) for row in rows], page.limit, keys)


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Return ``values`` in parts that one statement takes."""
    return (values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE))


def insert_once(
    transaction: Transaction, table: sa.Table, values: Mapping[str, Any], taken: str
) -> None:
    """Insert a row; raise ``ChangedMeanwhile(taken)`` where its key is there already."""
    try:
        transaction.execute(table.insert().values(**values))
    except IntegrityError as error:
        raise ChangedMeanwhile(taken) from error


def change_one(transaction: Transaction, statement: Any, changed: str) -> None:
    """Change the row that stands as ``statement`` asks; raise ``ChangedMeanwhile`` if none does."""
    if transaction.execute(statement).rowcount != 1:
        raise ChangedMeanwhile(changed)


def change_version(
    transaction: Transaction, table: sa.Table, values: Mapping[str, Any], changed: str
) -> None:
    """Store ``values`` where the version before theirs stands; raise ``ChangedMeanwhile`` else."""
    columns = table.c
    standing = table.update().where(
        columns.id == values["id"],
        columns.org_id == values["org_id"],
        columns.version == values["version"] - 1,
    )
    change_one(transaction, standing.values(**values), changed)


def row_of(transaction: Transaction, table: sa.Table, org_id: str, row_id: str) -> Any:
    """Return an organisation's row of this id, None where there is none."""
    mine = table.select().where(table.c.id == row_id, table.c.org_id == org_id)
    return transaction.execute(mine).first()


def count_rows(transaction: Transaction, table: sa.Table, *conditions: Any) -> int:
    """Return how many rows stand as the ``conditions`` ask."""
    counted = sa.select(sa.func.count()).select_from(table).where(*conditions)
    return int(transaction.execute(counted).scalar_one())
