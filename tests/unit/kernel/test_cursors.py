"""Pages and the cursors between them."""

from __future__ import annotations

import pytest

from secops.kernel.errors import Invalid
from secops.kernel.pages import MAX_LIMIT, Page, PageRequest, encode_cursor, every_item


@pytest.mark.parametrize(
    "after", [(), ("a",), (1, "a", "b"), ("a", 1), (True, "a"), (1, 2), (1 << 63, "a")]
)
def test_a_cursor_of_another_list_is_invalid(after: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid):
        PageRequest(10, after).key(int, str)


def test_a_cursor_of_this_list_is_its_key() -> None:
    assert PageRequest(10, (7, "a")).key(int, str) == (7, "a")
    assert PageRequest(10).key(int, str) is None


def test_every_item_of_a_list_comes_in_order_and_no_page_before_it_is_needed() -> None:
    pages: dict[tuple[str | int, ...] | None, Page[int]] = {
        None: Page([1, 2], encode_cursor((2,))),
        (2,): Page([3]),
    }
    asked: list[PageRequest] = []

    def list_page(page: PageRequest) -> Page[int]:
        asked.append(page)
        return pages[page.after]

    items = every_item(list_page)
    assert [next(items), next(items)] == [1, 2]
    assert asked == [PageRequest(MAX_LIMIT)]
    assert list(items) == [3]
    assert asked == [PageRequest(MAX_LIMIT), PageRequest(MAX_LIMIT, (2,))]
