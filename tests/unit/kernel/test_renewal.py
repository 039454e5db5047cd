"""What many use is read anew by one of them, before it is over for all."""

from __future__ import annotations

import pytest

from secops.kernel.waiting import MustWait, Renewal, without_waiting


def test_nobody_renews_before_its_time_and_one_caller_after_it() -> None:
    renewal = Renewal(10.0)
    assert not renewal.is_mine(9.9)
    assert [renewal.is_mine(10.0) for _ in range(3)] == [True, False, False]


def test_where_waiting_is_forbidden_one_caller_is_sent_away_and_renews_where_it_may_wait() -> None:
    renewal = Renewal(10.0)
    with pytest.raises(MustWait):
        without_waiting(lambda: renewal.is_mine(10.0))
    assert not without_waiting(lambda: renewal.is_mine(10.1))
    assert renewal.is_mine(10.2)
    assert not without_waiting(lambda: renewal.is_mine(10.3))
