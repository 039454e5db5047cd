"""Whatever happens to schedulers, clocks and events: the alerts of one quiet run, each once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from detectors.service.runs.steps import Stepper
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine
from tests.fakes.schedule_chaos import Chaos, CursorFirst, differences, rules_in


def outcomes(home: Path, seeds: range, stepper: type[Stepper]) -> tuple[Counter[str], list[int]]:
    """Return what was counted over all seeds, and those that went wrong."""
    counts: Counter[str] = Counter()
    wrong = []
    clock = FakeClock()
    home.mkdir()
    spine = database_spine(home, clock=clock)
    rules = rules_in(spine.parts)
    try:
        for number in seeds:
            chaos = Chaos(spine, clock, number, rules, stepper)
            found = chaos.run()
            once = chaos.announced_once()
            seen = chaos.seen_once() if stepper is Stepper else True
            wanted = chaos.oracle()
            lost, extra = differences(found, wanted)
            counts.update(chaos.counts)
            counts.update(
                {"events": len(chaos.events), "alerts": sum(wanted.values()), "lost": lost}
            )
            counts.update({"double": extra, "late": sum(at - e.at > 2e6 for at, e in chaos.events)})
            if lost or extra or not (once and seen):
                wrong.append(number)
    finally:
        spine.close()
    return counts, wrong


@pytest.mark.parametrize("seeds", [6, pytest.param(1_000, marks=pytest.mark.deep)])
def test_alerts_are_those_of_one_quiet_run_whatever_dies_jumps_or_comes_late(
    tmp_path: Path, seeds: int
) -> None:
    counts, wrong = outcomes(tmp_path / "home", range(seeds), Stepper)
    print(
        f"{seeds} seeds: {counts['events']} events ({counts['late']} late), "
        f"{counts['kills']} kills, {counts['overtaken']} overtaken, "
        f"{counts['clock jumps']} clock jumps; {counts['alerts']} alerts, "
        f"{counts['lost']} lost, {counts['double']} double"
    )
    assert wrong == []
    assert (counts["lost"], counts["double"]) == (0, 0)
    assert counts["kills"] >= seeds
    assert counts["overtaken"] >= seeds // 2


def test_the_control_that_moves_its_cursor_before_its_effects_loses_alerts(
    tmp_path: Path,
) -> None:
    counts, wrong = outcomes(tmp_path / "home", range(3), CursorFirst)
    print(f"control, 3 seeds: {counts['lost']} lost or changed, {len(wrong)} seeds wrong")
    assert counts["lost"] > 0
    assert wrong != []
