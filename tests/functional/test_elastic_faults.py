"""A cluster that is down, slow, resetting, busy or dying: nothing is lost, nothing is double."""

from __future__ import annotations

import gc
import itertools
import os
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from detectors.adapters.elastic import Elastic
from detectors.adapters.elastic.build import Patience
from detectors.errors import LogStoreUnavailable
from detectors.models.alerts import AlertFilter
from detectors.service.watching.store_watch import StoreWatch
from detectors.store.alerts import DatabaseAlerts
from secops.kernel.actors import ROOT_ORG
from secops.kernel.logs import AppendResult, LogEvent
from secops.kernel.pages import PageRequest
from tests.fakes.anchors import event_of
from tests.fakes.elastic_store import address_of, open_store
from tests.fakes.parts import database_spine
from tests.services.elasticsearch import ElasticsearchServer
from tests.services.fault_proxy import Fault, FaultProxy, never

pytestmark = pytest.mark.service

DEEP = bool(os.environ.get("SECOPS_DEEP"))  # noqa: TID251 - test profile
BATCHES = 400 if DEEP else 4
ROWS = 250 if DEEP else 20
HURRY = Patience(writing=0.3, reading=0.3, request=3.0)


@dataclass(slots=True)
class Follower:
    """Reads on from where it was, as detectors do; ``seen`` counts per event."""

    elastic: Elastic
    following: int = 1
    seen: dict[str, int] = field(default_factory=dict)

    def follow(self) -> None:
        for batch in self.elastic.store.scan(self.following):
            for identifier in batch.ids:
                self.seen[identifier] = self.seen.get(identifier, 0) + 1
            self.following = batch.last_seq + 1


@dataclass(slots=True)
class Rig:
    """A product that reaches its cluster through a proxy."""

    proxy: FaultProxy
    elastic: Elastic
    follower: Follower
    offered: list[LogEvent] = field(default_factory=list)
    failures: int = 0

    def offer(self) -> None:
        """Take a batch from outside: durable, hence acknowledged."""
        start = len(self.offered) + 1
        batch = [event_of(n, {"EventID": str(n % 7)}) for n in range(start, start + ROWS)]
        self.elastic.spool.offer(batch)
        self.offered += batch

    def tick(self) -> None:
        """Let writer and reader each do what they can."""
        try:
            self.elastic.writer.drain()
        except LogStoreUnavailable:
            self.failures += 1
        try:
            self.follower.follow()
        except LogStoreUnavailable:
            self.failures += 1

    def recover(self) -> None:
        """End the fault and let everything be done."""
        self.proxy.fault = never
        for _ in range(60):  # a busy machine's server may be slow by itself
            self.tick()
            if self.elastic.spool.is_empty():
                break
        self.follower.follow()


@pytest.fixture
def rig(elasticsearch: ElasticsearchServer, tmp_path: Path) -> Iterator[Rig]:
    proxy = FaultProxy(elasticsearch.urls[0], elasticsearch.authority)
    url = elasticsearch.url.replace("+https", "+http").rpartition("@")[0]
    address = address_of(elasticsearch, f"{url}@127.0.0.1:{proxy.port}")
    elastic = open_store(address, tmp_path, patience=HURRY)
    made = Rig(proxy, elastic, Follower(elastic))
    # the first indices are made in quiet
    first = [event_of(-1, {"EventID": "1"})]
    direct = open_store(address_of(elasticsearch, prefix=address.prefix), tmp_path / "direct")
    direct.store.append(first)
    made.offered += first
    made.follower.follow()
    yield made
    elastic.connection.close()
    proxy.close()


def stored_ids(elastic: Elastic) -> list[str]:
    return [identifier for batch in elastic.store.scan(1) for identifier in batch.ids]


def every(numbers: int, fault: str) -> Fault:
    return lambda number: fault if number % numbers == 0 else ""


FAULTS: dict[str, Fault] = {
    "down": lambda _number: "refuse",
    "slow": every(17, "slow"),
    "resetting": every(4, "reset"),
    "answers lost": every(5, "lose"),
    "half answers": every(4, "half"),
    "429": every(2, "429"),
    "503": every(3, "503"),
    "single items": lambda _number: "items",
    "everything": lambda number: (
        "reset",
        "",
        "lose",
        "429",
        "",
        "half",
        "",
        "503",
        "items",
        "",
        "slow",
        "",
    )[number % 12],
}


QUICK = {"down", "answers lost", "single items", "everything"}
NAMED = [name if name in QUICK else pytest.param(name, marks=pytest.mark.deep) for name in FAULTS]


@pytest.mark.parametrize("name", NAMED)
def test_whatever_the_cluster_does_nothing_is_missed_or_double(rig: Rig, name: str) -> None:
    rig.proxy.slow_seconds = 3.5  # longer than a request may take
    rig.proxy.fault = FAULTS[name]
    for _ in range(BATCHES):
        rig.offer()
        rig.tick()
    struck = rig.proxy.counts.total()
    rig.recover()

    stored = stored_ids(rig.elastic)
    offered = {event.id for event in rig.offered}
    missed = offered - rig.follower.seen.keys()
    twice = len(stored) - len(set(stored))
    print(
        f"elasticsearch {name}: {struck} requests struck, {rig.failures} rounds failed, "
        f"{len(offered)} acknowledged, {len(missed)} missed, {twice} double"
    )
    assert struck
    assert (set(stored) == offered, missed, twice) == (True, set(), 0)


def test_a_writer_that_forgets_before_it_has_stored_loses_events(rig: Rig) -> None:
    """The control: the same rounds, the same count, and something is missed."""
    rig.proxy.fault = FAULTS["down"]
    for _ in range(2):
        rig.offer()
        for batch in list(rig.elastic.spool.waiting(64)):
            rig.elastic.spool.answer(batch.path, AppendResult(0, 0, 0))
            with pytest.raises(LogStoreUnavailable):
                rig.elastic.writer.store([batch.events or []])
    rig.recover()

    missed = {event.id for event in rig.offered} - rig.follower.seen.keys()
    print(f"elasticsearch down, control: {len(missed)} missed")
    assert len(missed) == 2 * ROWS


def test_what_was_taken_before_its_writer_died_is_numbered_anew(rig: Rig) -> None:
    """A writer dies between storing and its commit; readers passed its numbers meanwhile."""
    rig.offer()
    counted = itertools.count(1)
    state = rig.elastic.writer.state
    write = state.write

    def dies(changed):  # type: ignore[no-untyped-def]
        if next(counted) == 2:
            raise LogStoreUnavailable("killed")
        return write(changed)

    state.write = dies  # type: ignore[method-assign]
    with pytest.raises(LogStoreUnavailable):
        rig.elastic.writer.drain()
    state.write = write  # type: ignore[method-assign]
    other = [event_of(10_000 + n, {}) for n in range(3)]
    rig.elastic.writer.store([other])  # another writer is first; its numbers lie behind
    rig.follower.follow()
    rig.recover()

    offered = {event.id for event in [*rig.offered, *other]}
    stored = stored_ids(rig.elastic)
    assert set(stored) == offered
    assert len(stored) == len(offered)
    assert rig.follower.seen.keys() == offered


def test_memory_is_flat_while_the_cluster_is_down(rig: Rig) -> None:
    rig.proxy.fault = FAULTS["down"]
    for _ in range(4):
        rig.offer()
    rig.tick()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    rounds = 60 if DEEP else 6
    for _ in range(rounds):
        rig.tick()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    print(f"elasticsearch down: {rounds} rounds, memory grew by {grown / 1024:.0f} KiB")
    rig.recover()
    assert grown < 1 << 20


def test_an_outage_is_an_alert_within_two_intervals_and_is_cured(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spine = database_spine(tmp_path_factory.mktemp("home"))
    try:
        alerts = DatabaseAlerts()
        watch = StoreWatch(spine.parts, rig.elastic.store, alerts)

        def health() -> list[tuple[str, str]]:
            wanted, page = AlertFilter(), PageRequest()
            rows: Sequence[object] = spine.parts.transactions.read(
                lambda tx: alerts.page(tx, ROOT_ORG, wanted, page)
            )
            return [(row.kind, row.status) for row in rows]  # type: ignore[attr-defined]

        watch.watch()
        assert health() == []
        rig.proxy.fault = FAULTS["down"]
        intervals = 0
        while not health():
            intervals += 1
            watch.watch()
        watch.watch()
        assert health() == [("health", "open")]
        rig.proxy.fault = never
        watch.watch()
        print(f"elasticsearch down: alert after {intervals} interval(s), cured when it answers")
        assert intervals <= 2
        assert health() == [("health", "closed")]
    finally:
        spine.close()


def test_an_event_that_the_cluster_cannot_index_is_kept_and_named(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """Somebody changed the template: texts of one field are numbers now."""
    address = address_of(elasticsearch)
    elastic = open_store(address, tmp_path)
    elastic.store.append([event_of(0, {"Image": "a"})])
    status, found = elasticsearch.ask("GET", f"/_index_template/{address.prefix}")
    declared = found["index_templates"][0]["index_template"]
    folds = declared["template"]["mappings"]["properties"]["fold"]["properties"]
    folds["Image"] = {"type": "long"}
    assert elasticsearch.ask("PUT", f"/_index_template/{address.prefix}", declared)[0] == 200

    tomorrow = [event_of(86_400_000_000 + n, {"Image": text}) for n, text in enumerate(["7", "b"])]
    assert elastic.store.append(tomorrow).stored == 2

    assert [s.event for s in elastic.store.get([e.id for e in tomorrow])] == tomorrow
    assert list(elastic.writer.bare) == [tomorrow[1].id]
    assert "long" in elastic.writer.bare[tomorrow[1].id]
    assert status == 200


@pytest.mark.deep
def test_one_of_three_nodes_is_killed_and_what_was_acknowledged_is_counted(
    elasticsearch_cluster: ElasticsearchServer, tmp_path: Path
) -> None:
    hosts = ",".join(f"localhost:{node.http}" for node in elasticsearch_cluster.nodes)
    user = elasticsearch_cluster.url.partition("@")[0]
    address = address_of(elasticsearch_cluster, f"{user}@{hosts}")
    elastic = open_store(address, tmp_path, patience=Patience(60.0, 60.0, 20.0))
    _, master = elasticsearch_cluster.ask("GET", "/_cat/master?format=json")
    acknowledged: set[str] = set()
    for number in range(40):
        batch = [event_of(number * 500 + n, {"EventID": "1"}) for n in range(500)]
        if number == 15:
            names = [node.name for node in elasticsearch_cluster.nodes]
            elasticsearch_cluster.kill(names.index(master[0]["node"]))
        elastic.store.append(batch)
        acknowledged |= {event.id for event in batch}
    stored = stored_ids(elastic)
    print(f"one of 3 nodes killed: {len(acknowledged)} acknowledged, {len(stored)} counted")
    assert (len(stored), set(stored)) == (len(acknowledged), acknowledged)
