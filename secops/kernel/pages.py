"""Lists come in pages: ``{"items": […], "next": CURSOR}``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson

from secops.kernel.errors import Invalid

T = TypeVar("T")

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
_MAX_CURSOR: Final = 1024
_MAX_INTEGER: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many, and after which. ``after`` is the sort key of the last item seen."""

    limit: int = DEFAULT_LIMIT
    after: tuple[str | int, ...] | None = None

    def key(self, *kinds: type[str | int]) -> tuple[Any, ...] | None:
        """Return ``after`` if its parts are of ``kinds``; raise ``Invalid`` for another list's.

        A cursor comes from outside: what its list can't have written must not reach a query.
        """
        if self.after is None:
            return None
        fits = len(self.after) == len(kinds) and all(
            type(part) is kind and (kind is str or abs(int(part)) <= _MAX_INTEGER)
            for part, kind in zip(self.after, kinds, strict=True)
        )
        if not fits:
            msg = "the cursor is not one of this list"
            raise Invalid(msg)
        return self.after


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and the cursor of the next page, None at the end."""

    items: Sequence[T]
    next: str | None = None


def encode_cursor(key: tuple[str | int, ...]) -> str:
    """Return ``key`` as an opaque cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> tuple[str | int, ...]:
    """Return the sort key inside ``cursor``; raise ``Invalid`` if it is not one of ours."""
    try:
        if len(cursor) > _MAX_CURSOR:
            raise ValueError  # noqa: TRY301 - one refusal for every defect
        padded = cursor + "=" * (-len(cursor) % 4)
        key: Any = orjson.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        if not isinstance(key, list) or not all(type(part) in (str, int) for part in key):
            raise ValueError  # noqa: TRY301
    except (ValueError, binascii.Error, UnicodeEncodeError) as error:
        msg = "the cursor is not one of ours"
        raise Invalid(msg) from error
    return tuple(key)


def page_request(limit: str | None, cursor: str | None) -> PageRequest:
    """Read ``limit`` (1 to 200) and ``cursor`` as they came in a query string."""
    count = DEFAULT_LIMIT
    if limit is not None:
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:4]) <= MAX_LIMIT:
            msg = f"limit is a number from 1 to {MAX_LIMIT}"
            raise Invalid(msg)
        count = int(limit)
    return PageRequest(count, decode_cursor(cursor) if cursor else None)


def every_item(list_page: Callable[[PageRequest], Page[T]]) -> Iterator[T]:
    """Yield the items of all pages of a list; a page is asked for when its first item is."""
    page = PageRequest(MAX_LIMIT)
    while True:
        listed = list_page(page)
        yield from listed.items
        if listed.next is None:
            return
        page = PageRequest(MAX_LIMIT, decode_cursor(listed.next))


def page_of(rows: Sequence[T], limit: int, keys: Sequence[tuple[str | int, ...]]) -> Page[T]:
    """Cut ``rows`` (asked for with limit + 1) to a page; ``keys`` are their sort keys."""
    if len(rows) <= limit:
        return Page(rows)
    return Page(rows[:limit], encode_cursor(keys[limit - 1]))
