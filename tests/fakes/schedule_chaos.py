"""A world of events and two schedulers in which everything goes wrong, by seed.

Events arrive in portions, one in ten late by up to a day. Clocks jump an hour forward or
back. Schedulers are killed before, inside and after their transactions; they fall asleep in
the middle of a step, lose their lease, are overtaken, and go on. What is left must be what one
quiet run over the same events finds.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import orjson
import sqlalchemy as sa

from detectors.plane import run_stores
from detectors.service.rules.rules import RuleService
from detectors.service.runs import steps
from detectors.service.runs.runs import LEASE, RunService
from detectors.service.runs.steps import Stepper
from detectors.store.alerts import DatabaseAlerts
from detectors.store.detectors import DatabaseDetectors
from detectors.store.sources import SqlLogSources
from detectors.store.tables import alerts, evaluations, gaps, metadata
from secops.adapters.cache_file import CacheFile
from secops.adapters.database.tables import leases, outbox_events
from secops.adapters.spine import Spine
from secops.kernel.anchors import ANYTHING, Anchor
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND
from secops.kernel.logs import Batch, LogEvent, LogStore
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction
from tests.fakes.clock import START, FakeClock
from tests.fakes.detection_house import RulesIn
from tests.fakes.log_store import FakeLogStore

ROOT_RULE = """
title: Root signs in
id: 00000000-0000-0000-0000-0000000c0001
name: root
status: stable
level: medium
logsource: {product: linux, service: chaos}
detection:
  selection: {user.name: root}
  condition: selection
"""
COUNT_RULE = """
title: Many failures
id: 00000000-0000-0000-0000-0000000c0002
name: many
status: stable
level: high
correlation:
  type: event_count
  rules: [failed]
  group-by: [source.ip]
  timespan: 10m
  condition: {gte: 3}
---
title: Failure
id: 00000000-0000-0000-0000-0000000c0003
name: failed
status: stable
level: low
logsource: {product: linux, service: chaos}
detection:
  selection: {event.outcome: failure}
  condition: selection
"""
VALUES_RULE = """
title: One address, several accounts
id: 00000000-0000-0000-0000-0000000c0004
name: values
status: stable
level: high
correlation:
  type: value_count
  rules: [tried]
  group-by: [source.ip]
  timespan: 15m
  condition: {gte: 3, field: user.name}
---
title: Tried
id: 00000000-0000-0000-0000-0000000c0005
name: tried
status: stable
level: low
logsource: {product: linux, service: chaos}
detection:
  selection: {user.name|startswith: user}
  condition: selection
"""
ORDER_RULE = """
title: Failure, then root
id: 00000000-0000-0000-0000-0000000c0006
name: ordered
status: stable
level: high
correlation:
  type: temporal_ordered
  rules: [first, then]
  group-by: [source.ip]
  timespan: 5m
---
title: First
id: 00000000-0000-0000-0000-0000000c0007
name: first
status: stable
level: low
logsource: {product: linux, service: chaos}
detection:
  selection: {event.outcome: failure}
  condition: selection
---
title: Then
id: 00000000-0000-0000-0000-0000000c0008
name: then
status: stable
level: low
logsource: {product: linux, service: chaos}
detection:
  selection: {user.name: root}
  condition: selection
"""
FEW_RULE = """
title: An account that tries once only
id: 00000000-0000-0000-0000-0000000c0009
name: few
status: stable
level: low
correlation:
  type: event_count
  rules: [single]
  group-by: [user.name]
  timespan: 4m
  condition: {lte: 1}
---
title: Single
id: 00000000-0000-0000-0000-0000000c000a
name: single
status: stable
level: low
logsource: {product: linux, service: chaos}
detection:
  selection: {event.outcome: failure}
  condition: selection
"""
RULES = RulesIn(
    few=FEW_RULE, root=ROOT_RULE, many=COUNT_RULE, values=VALUES_RULE, ordered=ORDER_RULE
)

Content = tuple[str, str, int, int, int, str]


class Killed(Exception):
    """The process is gone; its transaction, if one was open, is rolled back."""


@dataclass
class Death:
    """When the next transactions of a scheduler kill it."""

    seed: random.Random
    chance: float
    counts: Counter[str] = field(default_factory=Counter)

    def strikes(self) -> str:
        """Return ``before``, ``inside``, ``after`` or nothing."""
        if self.seed.random() >= self.chance:
            return ""
        how = self.seed.choice(("before", "inside", "after"))
        self.counts[f"killed {how} commit"] += 1
        return how


@dataclass
class MortalTransactions:
    """The real transactions, for a process that may die at any of them."""

    behind: object
    death: Death

    def run(self, work: Callable[[Transaction], object]) -> object:
        how = self.death.strikes()
        if how == "before":
            raise Killed

        def dying(tx: Transaction) -> object:
            value = work(tx)
            if how == "inside":
                raise Killed
            return value

        value = self.behind.run(dying)
        if how == "after":
            raise Killed
        return value

    def read(self, work: Callable[[Transaction], object]) -> object:
        return self.behind.read(work)


@dataclass
class SleepyStore:
    """The log store as a scheduler sees it that falls asleep while it reads."""

    behind: FakeLogStore
    asleep: Callable[[], None] | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self.behind, name)

    def scan(
        self, first_seq: int, last_seq: int | None = None, anchor: Anchor = ANYTHING
    ) -> Iterator[Batch]:
        asleep, self.asleep = self.asleep, None
        if asleep is not None:
            asleep()
        return self.behind.scan(first_seq, last_seq, anchor)


class CursorFirst(Stepper):
    """The control: progress is committed before its effects, as many schedulers do."""

    def _commit(self, outcome, failing, lease):  # type: ignore[no-untyped-def]
        try:
            self.parts.transactions.run(lambda tx: self._move(tx, outcome, lease.fence))
        except steps._Stale:
            return 0
        effects = outcome.folded.effects
        stays = replace(outcome.step, keys=())
        again = replace(outcome, step=stays)

        def work(tx: Transaction) -> int:
            steps.write_notes(tx, self.stores.correlations, effects)
            self.stores.hits.add_hits(tx, steps.ROOT_ORG, again.folded.hits)
            return len(steps.write_effects(tx, self.stores.alerts, effects))

        return self.parts.transactions.run(work)


def events_of(seed: random.Random, count: int) -> list[tuple[int, LogEvent]]:
    """Return (arrival, event), by arrival; one in ten is late by up to a day."""
    made = []
    at = START
    for number in range(count):
        at += seed.randrange(1, 150) * SECOND
        late = seed.randrange(1, DAY) if seed.random() < 0.1 else seed.randrange(2 * SECOND)
        root = seed.random() < 0.12
        fields = {
            "event.dataset": "linux.chaos",
            "event.outcome": "success" if root else "failure",
            "user.name": "root" if root else f"user{seed.randrange(3)}",
            "source.ip": f"203.0.113.{seed.randrange(3)}",
        }
        raw = orjson.dumps([number, at, fields])
        identity = hashlib.sha256(raw).hexdigest()
        source = f"s{seed.randrange(2)}"
        made.append((at + late, LogEvent(identity, source, at, at + late, fields, raw)))
    return sorted(made, key=lambda pair: (pair[0], pair[1].id))


def rules_in(parts: Parts) -> RuleService:
    """Return the rules, which never change: compiled once, all schedulers may share them."""
    return RuleService(parts, DatabaseDetectors(), RULES, CacheFile(parts.home, "installed-rules"))


def service(
    parts: Parts, rules: RuleService, logs: LogStore, stepper: type[Stepper] = Stepper
) -> RunService:
    """Return a scheduler as a new process would have it."""
    cache = CacheFile(parts.home, "installed-rules")
    store, found = DatabaseDetectors(), DatabaseAlerts()
    stores = run_stores(store, found)
    runs = RunService(parts, logs, stores, rules, cache, SqlLogSources())
    if stepper is not Stepper:
        object.__setattr__(runs, "_stepper", stepper(parts, logs, stores))
    return runs


def wipe(spine: Spine) -> None:
    """Forget everything that detection has stored."""
    with spine.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(outbox_events.delete())


def contents(spine: Spine) -> Counter[Content]:
    """Return what the alerts say, how often."""
    query = sa.select(alerts).where(alerts.c.status.in_(("open", "closed", "suppressed")))
    with spine.engine.connect() as connection:
        return Counter(
            (
                row.rule_id,
                row.group_key,
                row.first_at,
                row.last_at,
                row.event_count,
                " ".join(sorted(orjson.loads(row.body)["event_ids"])),
            )
            for row in connection.execute(query)
        )


@dataclass
class Chaos:
    """One seed's world."""

    spine: Spine
    clock: FakeClock
    number: int
    rules: RuleService
    stepper: type[Stepper] = Stepper
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.seed = random.Random(self.number)  # noqa: S311 - a reproducible world
        self.logs = FakeLogStore()
        self.death = Death(self.seed, 0.12)
        self.offset = 0
        self.events = events_of(random.Random(self.number + 7), 50)  # noqa: S311 - reproducible

    def run(self) -> Counter[Content]:
        """Live through everything and return what the alerts say in the end."""
        wipe(self.spine)
        waiting = list(self.events)
        crew = [self._hire(), self._hire()]
        while waiting:
            size = self.seed.randrange(1, 8)
            portion, waiting = waiting[:size], waiting[size:]
            self._pass_time(portion[-1][0])
            self.logs.append([event for _, event in portion])
            for _ in range(self.seed.randrange(4)):
                self._work(crew)
        self._rest(service(self.spine.parts, self.rules, self.logs, self.stepper), self.stepper)
        self.counts.update(self.death.counts)
        return contents(self.spine)

    def oracle(self) -> Counter[Content]:
        """Return what one quiet run over the same events finds."""
        wipe(self.spine)
        self.clock.instant = self.events[-1][0]
        logs = FakeLogStore()
        logs.append([event for _, event in self.events])
        self._rest(service(self.spine.parts, self.rules, logs), Stepper)
        return contents(self.spine)

    def seen_once(self) -> bool:
        """Tell whether each detector has evaluated every event exactly once."""
        with self.spine.engine.connect() as connection:
            ranges = [
                (row.first_seq, row.last_seq, row.events)
                for row in connection.execute(sa.select(evaluations))
            ]
            left = connection.execute(sa.select(sa.func.count()).select_from(gaps)).scalar()
        return set(ranges) == {(1, len(self.events), len(self.events))} and left == 0

    def announced_once(self) -> bool:
        """Tell whether every alert was announced exactly once."""
        with self.spine.engine.connect() as connection:
            stored = set(connection.execute(sa.select(alerts.c.id)).scalars())
            query = sa.select(outbox_events.c.payload).where(outbox_events.c.name == "alert_raised")
            told = [orjson.loads(p)["alert_id"] for p in connection.execute(query).scalars()]
        return Counter(told) == Counter(stored)

    def _rest(self, runs: RunService, stepper: type[Stepper]) -> None:
        """Let everything that is due be done, and time pass until nothing is awaited."""
        self._lose_lease()
        drain(runs)
        self.clock.advance(3 * DAY / SECOND)
        drain(service(self.spine.parts, self.rules, runs._logs, stepper))

    def _hire(self) -> tuple[RunService, SleepyStore]:
        store = SleepyStore(self.logs)
        transactions = MortalTransactions(self.spine.parts.transactions, self.death)
        parts = replace(self.spine.parts, transactions=transactions)
        return service(parts, self.rules, store, self.stepper), store

    def _work(self, crew: list[tuple[RunService, SleepyStore]]) -> None:
        who = self.seed.randrange(2)
        runs, store = crew[who]
        if self.seed.random() < 0.3:
            store.asleep = lambda: self._overtake(crew, 1 - who)
        try:
            runs.tick()
        except Killed:
            self.counts["kills"] += 1
            crew[who] = self._hire()
            if self.seed.random() < 0.8:
                self._lose_lease()
        store.asleep = None

    def _overtake(self, crew: list[tuple[RunService, SleepyStore]], other: int) -> None:
        """The other one works while this one sleeps past its lease."""
        self.counts["overtaken"] += 1
        self._lose_lease()
        try:
            for _ in range(self.seed.randrange(1, 3)):
                crew[other][0].tick()
        except Killed:
            self.counts["kills"] += 1
            crew[other] = self._hire()
            self._lose_lease()

    def _pass_time(self, arrival: int) -> None:
        if self.seed.random() < 0.15:
            self.offset = self.seed.choice((-HOUR, 0, HOUR))
            self.counts["clock jumps"] += 1
        elapsed = max(arrival + self.offset - self.clock.instant, 0) / SECOND
        self.clock.instant = arrival + self.offset
        self.clock.elapsed += min(elapsed, MINUTE / SECOND)

    def _lose_lease(self) -> None:
        with self.spine.engine.begin() as connection:
            connection.execute(leases.update().where(leases.c.name == LEASE).values(until=0))


def drain(runs: RunService) -> None:
    """Let a scheduler do all that is due."""
    while runs.tick():
        pass


def differences(found: Counter[Content], wanted: Counter[Content]) -> Sequence[int]:
    """Return how many alerts are lost, and how many are too many."""
    return sum((wanted - found).values()), sum((found - wanted).values())
