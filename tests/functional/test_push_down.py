"""Rules asked with push-down on Elasticsearch find what they find on segments, event by event."""

from __future__ import annotations

import lzma
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.adapters.segments import open_segments
from detectors.core.anchors.rules import rules_anchor
from detectors.core.detection import Detector, Plan, detectors_of
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import table_of
from detectors.core.events.identity import LineCounter
from detectors.core.formats.reader import Record, read_records
from detectors.core.formats.record import Context
from detectors.core.query import evaluator
from detectors.core.sigma.tree import Node
from detectors.models.rules import RuleFile
from detectors.service.logs.logs import event_of
from detectors.service.rules.rule_files import compile_rules
from secops.kernel.anchors import ANYTHING
from secops.kernel.clock import DAY
from secops.kernel.logs import LogEvent, LogStore
from tests.fakes.anchors import FIELDS, NOON, ODD_FIELDS, TREES, numbered
from tests.fakes.elastic_store import address_of, forget, open_store
from tests.services.elasticsearch import ElasticsearchServer

pytestmark = pytest.mark.service

DEEP = bool(os.environ.get("SECOPS_DEEP"))  # noqa: TID251 - test profile
EXAMPLES = 120 if DEEP else 3
EVENTS = "hayabusa-sample-evtx.24661.jsonl.xz"
NOW = 1_790_000_000_000_000
CONTEXT = Context(zone=UTC, latest=1 << 60)

Pairs = set[tuple[int, str]]


def segments_at(folder: Path) -> LogStore:
    return open_segments(folder, "p1", evaluator, lambda name, details: None).store


def pairs_of(store: LogStore, trees: Sequence[Node], *, pushes: bool) -> tuple[Pairs, int]:
    """Return (rule, event id) of all that is found, and how many events were looked at."""
    program = Program(trees)
    found: Pairs = set()
    looked = 0
    for batch in store.scan(1, None, rules_anchor(trees) if pushes else ANYTHING):
        looked += batch.events
        for position, rows in evaluate(program, table_of(batch)).items():
            found |= {(position, batch.ids[row]) for row in rows.tolist()}
    return found, looked


@settings(max_examples=EXAMPLES)
@given(
    trees=st.lists(TREES, min_size=12, max_size=24),
    sound=st.lists(FIELDS, min_size=20, max_size=40),
    odd=st.lists(ODD_FIELDS, max_size=10),
)
def test_rules_of_any_kind_find_the_same_events_on_both_stores(
    trees: list[Node],
    sound: list[dict[str, object]],
    odd: list[dict[str, object]],
    elasticsearch: ElasticsearchServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    events = [stored.event for stored in numbered([*sound, *odd])]
    folder, address = tmp_path_factory.mktemp("both"), address_of(elasticsearch)
    segments, elastic = segments_at(folder), open_store(address, folder).store
    assert segments.append(events) == elastic.append(events)

    expected, looked = pairs_of(segments, trees, pushes=False)
    assert pairs_of(elastic, trees, pushes=True) == (expected, looked)
    for position, tree in enumerate(trees):
        own = {(0, event) for number, event in expected if number == position}
        assert pairs_of(elastic, [tree], pushes=True) == (own, looked)
    forget(elasticsearch, address)


def lines_of(folder: Path, step: int) -> Iterator[LogEvent]:
    """Yield every ``step``-th of the 24,661 Windows events."""
    with lzma.open(folder / EVENTS) as lines:
        kept = b"".join(line for n, line in enumerate(lines) if n % step == 0)
    yield from events_in(kept, "windows")


def events_in(content: bytes, source: str) -> Iterator[LogEvent]:
    counter = LineCounter()
    for record in read_records(iter((content,)), "auto", CONTEXT):
        assert isinstance(record, Record)
        event = event_of(record, source, source, counter, NOW)
        # an index a day: on three days instead of hundreds, which no rule asks about
        yield replace(event, at=NOON + int(event.id[:2], 16) % 3 * DAY)


def members(archive: Path, suffix: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None and member.name.endswith(suffix):
                yield member.name, content.read()


@pytest.fixture(scope="module")
def detectors(corpus: Path) -> tuple[Detector, ...]:
    """SigmaHQ's rules; every eighth in the quick run: compiling them all takes 10 s."""
    archive = corpus / "detection" / "sigmahq_rules_2026-08-05.tar.xz"
    files = [RuleFile(n, c) for n, c in members(archive, ".yml") if "/rules" in f"/{n}"]
    return detectors_of(compile_rules(files[:: 1 if DEEP else 8]))[0]


def findings(store: LogStore, plan: Plan, *, pushes: bool) -> tuple[set[tuple[str, str]], int, int]:
    """Return (rule, event) pairs, events looked at, and rows that came."""
    found: set[tuple[str, str]] = set()
    looked = came = 0
    for batch in store.scan(1, None, plan.anchor if pushes else ANYTHING):
        hits, failures = plan.find(batch)
        assert failures == []
        found |= {(hit.rule.header.id, batch.ids[hit.row]) for hit in hits}
        looked += batch.events
        came += len(batch)
    return found, looked, came


@pytest.mark.corpus
def test_sigmahqs_rules_find_the_same_of_real_windows_events_on_both_stores(
    corpus: Path,
    detectors: tuple[Detector, ...],
    elasticsearch: ElasticsearchServer,
    tmp_path: Path,
) -> None:
    events = list(lines_of(corpus / "detection", 1 if DEEP else 40))
    address = address_of(elasticsearch)
    segments, elastic = segments_at(tmp_path), open_store(address, tmp_path).store
    assert segments.append(events) == elastic.append(events)

    plan = Plan(detectors)
    expected, looked, _ = findings(segments, plan, pushes=False)
    found, seen, _ = findings(elastic, plan, pushes=True)
    assert (found, seen) == (expected, looked)
    assert looked == len(events)
    alone = came = 0
    for detector in detectors[:: len(detectors) // 40]:
        one = Plan([detector])
        own = {pair for pair in expected if pair[0] == detector.header.id}
        assert findings(elastic, one, pushes=True)[:2] == (own, looked)
        alone += 1
        came += findings(elastic, one, pushes=True)[2]
    share = came / (alone * looked)
    print(
        f"push-down: {len(detectors)} rules x {looked} events, {len(expected)} pairs equal; "
        f"of one rule {share:.2%} of the events come back"
    )
    assert expected
    assert share < 0.5
    forget(elasticsearch, address)


@pytest.mark.corpus
def test_sigmahqs_regression_events_are_found_on_elasticsearch_too(
    corpus: Path,
    detectors: tuple[Detector, ...],
    elasticsearch: ElasticsearchServer,
    tmp_path: Path,
) -> None:
    archive = corpus / "detection" / "sigmahq_regression_202.tar.xz"
    events: list[LogEvent] = []
    for name, content in members(archive, ".evtx"):
        events.extend(events_in(content, name))
    address = address_of(elasticsearch)
    segments, elastic = segments_at(tmp_path), open_store(address, tmp_path).store
    assert segments.append(events) == elastic.append(events)

    plan = Plan(detectors)
    expected, looked, _ = findings(segments, plan, pushes=False)
    found, seen, _ = findings(elastic, plan, pushes=True)
    print(f"regression on both stores: {looked} events, {len(expected)} pairs equal")
    assert (found, seen) == (expected, looked)
    assert expected
    forget(elasticsearch, address)
