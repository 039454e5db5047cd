"""An evidence store that is full, a clock that jumps: nothing is judged better for it, or half."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from audits.models.assessments import Assessment
from audits.service.assessments.entering import Judgement
from audits.store.tables import assessments
from secops.adapters.database.tables import ledger_door
from secops.kernel.clock import DAY, HOUR, SECOND
from secops.kernel.errors import Unavailable
from tests.fakes.assessing import AUDITOR, AssessingHouse, assessing_house

ITEM = "L3-PES1-01"
YEARS = 10 * 365 * DAY // SECOND


@pytest.fixture
def house(tmp_path: Path) -> Iterator[AssessingHouse]:
    with assessing_house(tmp_path) as opened:
        yield opened


def assess(house: AssessingHouse) -> Assessment:
    return house.services.assessments.assess(AUDITOR, "gbt22239", 3)


def status(made: Assessment) -> str:
    return next(v.status for v in made.verdicts if v.item.id == ITEM)


def counts(house: AssessingHouse) -> tuple[int, int]:
    """Return how many assessments and how many acts of assessing are stored."""
    with house.spine.engine.connect() as connection:
        kept = connection.execute(sa.select(sa.func.count()).select_from(assessments)).scalar_one()
        records = connection.execute(sa.select(ledger_door.c.record)).scalars().all()
    return kept, sum(b'"audits.assess"' in record for record in records)


def test_a_full_evidence_store_leaves_no_assessment_and_no_act(
    house: AssessingHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assess(house)
    before = counts(house)
    house.clock.advance(60)  # other evidence than what is kept already

    def full(descriptor: int) -> None:
        del descriptor
        raise OSError(errno.ENOSPC, "no space left on device")

    real = os.fsync
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable):
        assess(house)
    assert counts(house) == before
    monkeypatch.setattr(os, "fsync", real)
    assert status(assess(house)) == "unassessed"
    assert counts(house) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("seconds", [YEARS, 367 * DAY // SECOND, -HOUR // SECOND, -YEARS // 20])
def test_a_clock_that_jumps_makes_nothing_better(house: AssessingHouse, seconds: int) -> None:
    plain = assess(house)
    house.services.assessments.enter_judgement(
        AUDITOR, "gbt22239", Judgement(ITEM, "compliant", "看过", "李四", days=366)
    )
    house.clock.advance(1)
    judged = assess(house)
    house.clock.advance(seconds)
    jumped = assess(house)
    ranks = {"compliant": 2, "partial": 1}
    for before, after in zip(judged.verdicts, jumped.verdicts, strict=True):
        assert ranks.get(after.status, 0) <= ranks.get(before.status, 0)
    assert (status(plain), status(judged)) == ("unassessed", "compliant")
    if seconds > 0:
        assert status(jumped) == "unassessed"
