"""Pages and the cursors between them."""

from __future__ import annotations

import pytest

from secops.kernel.errors import Invalid
from secops.kernel.pages import PageRequest


@pytest.mark.parametrize(
    "after", [(), ("a",), (1, "a", "b"), ("a", 1), (True, "a"), (1, 2), (1 << 63, "a")]
)
def test_a_cursor_of_another_list_is_invalid(after: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid):
        PageRequest(10, after).key(int, str)


def test_a_cursor_of_this_list_is_its_key() -> None:
    assert PageRequest(10, (7, "a")).key(int, str) == (7, "a")
    assert PageRequest(10).key(int, str) is None
