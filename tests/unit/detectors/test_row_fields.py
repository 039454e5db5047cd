"""Fields of a row that are looked up one by one; lines that are no ASCII."""

from __future__ import annotations

import pytest

from detectors.core.engine.tables import RowFields, row_fields
from detectors.core.query.pattern import part_of_line
from secops.kernel.logs import LogEvent, StoredEvent
from tests.fakes.log_store import batch_of


def test_a_row_is_what_its_fields_are() -> None:
    events = [
        LogEvent("0" * 64, "s", 1, 1, {"a": "x", "b": ("1", "2")}, b"raw"),
        LogEvent("1" * 64, "s", 2, 2, {"c": ""}, b"raw"),
    ]
    batch = batch_of([StoredEvent(n, event) for n, event in enumerate(events, 1)])
    for row, event in enumerate(events):
        fields = RowFields(batch, row)
        assert dict(fields) == row_fields(batch, row) == dict(event.fields)
        assert len(fields) == len(event.fields)
    with pytest.raises(KeyError):
        RowFields(batch, 0)["c"]
    assert RowFields(batch, 1).get("a") is None
    assert RowFields(batch, 1).get("none") is None


@pytest.mark.parametrize(
    ("line", "held"),
    [
        (b"a LOGIN b", True),
        ("登录 LOGIN".encode(), True),
        ("登录".encode("gb18030") + b" Login", True),
        ("登录".encode(), False),
        (b"log\r\nin", False),
        (b"\r login", True),
    ],
)
def test_a_word_is_found_in_lines_of_any_encoding(line: bytes, held: bool) -> None:  # noqa: FBT001
    assert part_of_line("login", quoted=True)(line) is held
