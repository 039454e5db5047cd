"""The measurement of side channels: what it computes, and what it prints."""

from __future__ import annotations

import pytest

from kms.commands.bench_timing import effect_size, timing_figures


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 3], [1, 3], 0.0),
        ([5, 5], [5, 5], 0.0),
        ([10, 12], [12, 14], -2.0),
        ([12, 14], [10, 12], 2.0),
    ],
)
def test_the_effect_is_the_difference_in_standard_deviations(
    one: list[int], other: list[int], expected: float
) -> None:
    assert effect_size(one, other) == expected


def test_each_figure_says_what_was_compared_and_a_control_comes_with_them() -> None:
    figures = timing_figures(rounds=40)
    assert [figure["name"] for figure in figures] == [
        "sm2 sign timing effect",
        "tag compare timing effect",
        "control: compare byte by byte",
    ]
    for figure in figures:
        assert set(figure) == {"name", "value", "unit", "per_cpu_second", "circumstances"}
        assert figure["value"] >= 0
        assert "times each" in figure["circumstances"]
