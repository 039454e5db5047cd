"""What every table of the plane is read with: fields of a row, a page of the newest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, and_, or_

from secops.kernel.pages import PageRequest


def fields_of(row: Any) -> dict[str, Any]:
    """Return the row's columns by name."""
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name


def newest_first(statement: Any, table: Table, time: str, request: PageRequest) -> Any:
    """Return ``statement`` for the page after ``request.after`` = (time, id)."""
    at, identifier = table.c[time], table.c.id
    if (after := request.key(int, str)) is not None:
        last_at, last_id = after
        statement = statement.where(or_(at < last_at, and_(at == last_at, identifier < last_id)))
    return statement.order_by(at.desc(), identifier.desc()).limit(request.limit + 1)
