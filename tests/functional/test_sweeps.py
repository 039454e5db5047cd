"""Many stored events at once: the same alerts as step by step, whatever reads them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from detectors.adapters.segments import open_segments
from detectors.adapters.segments.parts import ROWS_OF_GROUP
from detectors.commands.workers import ForkedWorkers
from detectors.core.query import evaluator
from detectors.models.columns import sparse
from detectors.models.triage import RuleException
from detectors.plane import run_stores
from detectors.service.runs import steps
from detectors.service.runs.runs import RunService
from detectors.service.runs.scan import Here, Workers
from detectors.service.runs.sweep import sweeper
from detectors.store.alerts import DatabaseAlerts
from detectors.store.detectors import DatabaseDetectors
from detectors.store.sources import SqlLogSources
from detectors.store.tables import (
    alert_hits,
    alerts,
    evaluations,
    exceptions,
    gaps,
    logsource_feeds,
    rule_health,
    seen_fields,
)
from secops.adapters.cache_file import CacheFile
from secops.kernel.clock import DAY
from secops.kernel.logs import LogEvent, Window
from tests.fakes.detection_house import (
    ANALYST,
    DetectionHouse,
    RulesIn,
    detection_house,
    own_rules,
)

ALONE = """
title: Each failure alone
id: 00000000-0000-0000-0000-0000000000a1
status: stable
logsource: {product: linux, service: sshd}
detection:
  selection:
    user.name|contains: dmi
  condition: selection
custom:
  grouping_window: "0"
"""
WORDS = """
title: Words
id: 00000000-0000-0000-0000-0000000000a2
status: stable
logsource: {product: linux, service: sshd}
detection:
  words:
    - publickey
    - 'port 41003'
  condition: words
"""
RULES = RulesIn(
    alone=ALONE,
    words=WORDS,
    **{
        name: own_rules(name).files[0].content.decode()
        for name in ("ssh_brute_force", "ssh_root_sign_in")
    },
)


def lines_of(dice: random.Random, count: int) -> list[str]:
    """Return sign-ins over two days that share accounts, addresses and instants."""
    made = []
    for _ in range(count):
        at = f"Nov {dice.choice((20, 21))} {dice.randrange(3):02d}:{dice.randrange(60):02d}"
        at += f":{dice.choice((0, 30)):02d}"
        user = dice.choice(("root", "admin", "ann", "oracle"))
        source = f"from 203.0.113.{dice.randrange(3)} port {41000 + dice.randrange(6)} ssh2"
        what = "Accepted publickey" if dice.random() < 0.3 else "Failed password"
        made.append(f"{at} web sshd[7]: {what} for {user} {source}")
    return made


@contextmanager
def segmented(home: Path) -> Iterator[tuple[DetectionHouse, RunService]]:
    """Open a house over segments, with an exception, and runs that can be told of workers."""
    logs = open_segments(home / "logs", "p1", evaluator, lambda name, details: None).store
    with detection_house(home, RULES, logs) as house:
        house.spine.transactions.run(lambda tx: tx.execute(exceptions.insert(), [spared(house)]))
        parts = house.spine.parts
        stores = run_stores(DatabaseDetectors(), DatabaseAlerts())
        cache = CacheFile(home, "rules")
        runs = RunService(parts, logs, stores, house.rules, cache, SqlLogSources(), logs)
        yield house, runs


def spared(house: DetectionHouse) -> dict[str, Any]:
    exception = RuleException(
        id="exc_1",
        org_id="org_root",
        rule_id="*",
        condition='{"source.ip": "203.0.113.2", "user.name": "oracle"}',
        owner="ann",
        reason="a scanner",
        created_by="acc_1",
        created_at=0,
        expires_at=house.clock.now() + 300 * DAY,
        approval_id="apr_1",
        state="active",
    )
    return {name: getattr(exception, name) for name in exceptions.c.keys()}  # noqa: SIM118 - columns


def written(house: DetectionHouse) -> dict[str, object]:
    """Return what stands in the database, without when and in how many portions."""
    with house.spine.engine.connect() as connection:

        def rows(table: sa.Table, *without: str) -> Counter[tuple[object, ...]]:
            columns = [column for column in table.c if column.name not in without]
            return Counter(tuple(row) for row in connection.execute(sa.select(*columns)))

        hits: dict[str, list[tuple[int, str]]] = {}
        for row in connection.execute(sa.select(alert_hits)):
            hits.setdefault(row.alert_id, []).extend(zip(*orjson.loads(row.body), strict=True))
        return {
            "alerts": rows(alerts, "version", "raised_at", "revision"),
            "hits": {name: sorted(mine) for name, mine in hits.items()},
            "evaluations": rows(evaluations, "at"),
            "gaps": rows(gaps, "fence"),
            "feeds": rows(logsource_feeds),
            "fields": rows(seen_fields, "first_seq"),
            "health": rows(rule_health, "cost_ns", "cost_events", "last_hit_seq"),
            "exceptions": rows(exceptions),
        }


@pytest.mark.parametrize("workers", [Here(), ForkedWorkers(2)], ids=["here", "forked"])
def test_a_sweep_leaves_what_many_small_steps_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: Workers
) -> None:
    monkeypatch.setattr(steps, "LIVE", 13)
    monkeypatch.setattr(steps, "BACKFILL", 7)
    monkeypatch.setattr(steps, "_MEASURE_EVERY", 1 << 30)
    monkeypatch.setattr(sweeper, "LEAST", 3)
    monkeypatch.setattr(sweeper, "AT_ONCE", 40)
    found = []
    for way in (None, workers):
        dice = random.Random(4)  # noqa: S311 - the same in every run
        with segmented(tmp_path / f"{way is None}") as (house, runs):
            for size in (60, 25, 90):
                for _ in range(3):
                    house.store(lines_of(dice, size // 3))
                result = runs.run_detectors(ANALYST, Window(), workers=way)
                house.clock.advance(3_600)
            assert result.new > 0
            found.append(written(house))
    stepwise, swept = found
    for name, rows in stepwise.items():
        assert swept[name] == rows, name
    print(f"{len(stepwise['hits'])} alerts of plain rules, equal")  # type: ignore[arg-type]


def test_a_part_of_a_great_segment_is_read_by_its_row_groups(tmp_path: Path) -> None:
    store = open_segments(tmp_path, "p1", evaluator, lambda name, details: None).store
    count = ROWS_OF_GROUP + 500
    store.append(
        [
            LogEvent(f"{n:064x}", "s", (n % 2) * DAY + n, n, {"n": str(n)}, b"%d" % n)
            for n in range(2 * count)
        ]
    )
    for first, last in ((1, 3), (2 * count - 3, None), (ROWS_OF_GROUP, ROWS_OF_GROUP * 2 + 9)):
        (batch,) = store.scan(first, last)
        seqs = list(range(first, (2 * count if last is None else last) + 1))
        assert list(batch.seqs) == seqs
        assert [batch.columns["n"].values[code] for code in batch.columns["n"].codes] == [
            str(seq - 1) for seq in seqs
        ]
        pieces = list(store.pieces(first, seqs[-1]))
        together = store.read_pieces(pieces)
        assert sorted(together.seqs) == seqs
        assert together.last_seq == seqs[-1]
        assert sum(piece.rows for piece in pieces) >= len(seqs)
        numbers = sparse(together.columns["n"])
        assert [numbers.values[code] for code in numbers.codes] == [
            str(seq - 1) for seq in together.seqs
        ]
        assert together.ids[0] == f"{together.seqs[0] - 1:064x}"
        assert list(together.raws) == [b"%d" % (seq - 1) for seq in together.seqs]
        assert [piece.last for piece in pieces if piece.last is not None] == [seqs[-1]]


def test_a_rule_that_raises_is_named_by_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "LEAST", 3)
    with segmented(tmp_path / "home") as (house, runs):
        broken = next(d for d in house.rules.library().detectors if d.header.title == "Words")
        object.__setattr__(broken.rules[0], "tree", Unanswerable())
        house.store(lines_of(random.Random(5), 40))  # noqa: S311 - the same in every run
        result = runs.run_detectors(ANALYST, Window(), workers=Here())
        kinds = {alert.kind: alert.rule_id for alert in result.alerts}
        assert kinds["health"] == broken.header.id
        assert "rule" in kinds


class Unanswerable:
    """A question that nobody can answer."""

    field = "source.ip"


class Dying:
    """Workers of which one dies after the first answer."""

    def map(self, function: Any, inputs: Any) -> Iterator[bytes]:
        for number, work in enumerate(inputs):
            if number:
                msg = "killed"
                raise RuntimeError(msg)
            yield function(work)


def test_a_sweep_whose_worker_dies_is_finished_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "LEAST", 3)
    monkeypatch.setattr(sweeper, "AT_ONCE", 1)
    found = []
    for way in (None, Dying()):
        dice = random.Random(6)  # noqa: S311 - the same in every run
        with segmented(tmp_path / f"{way is None}") as (house, runs):
            for _ in range(3):
                house.store(lines_of(dice, 30))
            runs.run_detectors(ANALYST, Window(), workers=way)
            found.append(written(house))
    assert found[0]["alerts"] == found[1]["alerts"]
    assert found[0]["evaluations"] == found[1]["evaluations"]


def test_a_sweep_with_an_older_fence_than_was_written_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "LEAST", 3)
    with segmented(tmp_path / "home") as (house, runs):
        house.store(lines_of(random.Random(7), 30))  # noqa: S311 - the same in every run
        sweep = sweeper.Sweeper(runs._stepper, runs._pieces)  # type: ignore[arg-type]
        lease = runs._acquire()
        assert lease is not None
        leases = iter([lease, lease, *[replace(lease, fence=lease.fence - 1)] * 9])
        assert sweep.sweep(house.rules.enabled(), Here(), lambda: next(leases)) == 0
        assert written(house)["alerts"] == Counter()


def test_a_sweep_longer_than_a_lease_takes_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "LEAST", 3)
    with segmented(tmp_path / "home") as (house, runs):
        for number in range(3):
            house.store(lines_of(random.Random(number), 30))  # noqa: S311 - the same in every run

        class Slow:
            """Each answer takes longer than the lease lasts."""

            def map(self, function: Any, inputs: Any) -> Iterator[bytes]:
                for work in inputs:
                    house.clock.advance(60)
                    yield function(work)

        swept = runs.run_detectors(ANALYST, Window(), workers=Slow())
        assert swept.new > 0
        assert written(house)["gaps"] == Counter()
        (spans,) = {row[2:4] for row in written(house)["evaluations"]}  # type: ignore[attr-defined]
        assert spans == (1, house.logs.last_seq())
