"""How long a statutory clock still runs, in words."""

from __future__ import annotations

import pytest

from playbooks.models import Clock
from secops.console.playbooks.filings import countdown
from secops.kernel.clock import DAY, HOUR, MINUTE

DUE = 100 * DAY


@pytest.mark.parametrize(
    ("now", "zh", "en"),
    [
        (DUE - 30 * DAY, "剩余 30 天 0 小时", "30 d 0 h left"),
        (DUE - DAY, "剩余 1 天 0 小时", "1 d 0 h left"),
        (DUE - DAY + 1, "剩余 23 小时 59 分", "23 h 59 min left"),
        (DUE - MINUTE, "剩余 0 小时 1 分", "0 h 1 min left"),
        (DUE, "剩余 0 小时 0 分", "0 h 0 min left"),
        (DUE + HOUR, "超过 1 小时 0 分", "1 h 0 min over"),
    ],
)
def test_what_is_left_is_said_to_the_minute_and_rounded_down(now: int, zh: str, en: str) -> None:
    said = countdown(Clock("first_report", ("x",), DUE, "y"), now)
    assert (said.zh, said.en) == (zh, en)


def test_what_was_filed_counts_no_more_and_what_has_no_hours_never_does() -> None:
    filed = Clock("first_report", ("x",), DUE, "y", filed_at=DUE)
    late = Clock("first_report", ("x",), DUE, "y", filed_at=DUE + 1, late=True)
    untimed = Clock("police_report", ("x",), None, "y")
    said = [countdown(clock, DUE + DAY).en for clock in (filed, late, untimed)]
    assert said == ["filed", "filed late", "in time"]
