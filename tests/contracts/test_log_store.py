"""Every log store gives the same answers: in memory, on segments, on Elasticsearch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.adapters.segments import open_segments
from detectors.core.query import evaluator
from secops.kernel.logs import (
    Aggregation,
    And,
    Bucket,
    Exists,
    LogEvent,
    LogStore,
    Not,
    Or,
    Query,
    Range,
    Term,
    Value,
    Window,
)
from tests.fakes.elastic_store import address_of, forget, open_store
from tests.fakes.log_store import FakeLogStore
from tests.services.elasticsearch import ElasticsearchServer

DAY = 86_400_000_000
NOON = 1_795_348_800_000_000
EVERYTHING = And(())
ALWAYS = Window()


def segments(folder: Path) -> LogStore:
    return open_segments(folder, "p1", evaluator, lambda name, details: None).store


def elastic(server: ElasticsearchServer, folder: Path) -> LogStore:
    return open_store(address_of(server), folder).store


ELASTICSEARCH = pytest.param("elasticsearch", marks=pytest.mark.service)


@pytest.fixture(params=["fake", "segments", ELASTICSEARCH])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LogStore:
    if request.param == "fake":
        return FakeLogStore()
    if request.param == "segments":
        return segments(tmp_path)
    return elastic(request.getfixturevalue("elasticsearch"), tmp_path)


def event(number: int, at: int = NOON, source: str = "auth.log", **fields: Value) -> LogEvent:
    raw = f"line {number}".encode()
    identifier = hashlib.sha256(source.encode() + raw).hexdigest()
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return LogEvent(identifier, source, at, NOON + number, named, raw)


def numbers(found: Sequence[object]) -> list[int]:
    return [int(stored.event.raw.split()[1]) for stored in found]  # type: ignore[attr-defined]


def test_an_empty_store_answers_everything_with_nothing(store: LogStore) -> None:
    assert store.last_seq() == 0
    assert list(store.scan(1)) == []
    assert list(store.search(EVERYTHING, ALWAYS, 10)) == []
    assert list(store.get(["0" * 64, "no id"])) == []
    assert list(store.sources()) == []
    assert list(store.aggregate(EVERYTHING, ALWAYS, Aggregation())) == []
    assert store.drop_before(NOON) == 0
    assert store.append([]).stored == 0


def test_known_events_are_duplicates_and_seqs_follow_the_order_given(store: LogStore) -> None:
    first = store.append([event(1, NOON + DAY), event(2, NOON - DAY), event(1, NOON + DAY)])
    second = store.append([event(2, NOON - DAY), event(3)])

    assert (first.stored, first.duplicates, first.last_seq) == (2, 1, 2)
    assert (second.stored, second.duplicates, second.last_seq) == (1, 1, 3)
    rows = [
        (seq, at, raw)
        for batch in store.scan(1)
        for seq, at, raw in zip(batch.seqs, batch.times, batch.raws, strict=True)
    ]
    assert rows == [
        (1, NOON + DAY, b"line 1"),
        (2, NOON - DAY, b"line 2"),
        (3, NOON, b"line 3"),
    ]


def test_a_scan_yields_exactly_the_seqs_asked_for_with_their_columns(store: LogStore) -> None:
    for number in range(1, 6):
        store.append([event(number, NOON + number * DAY, n=str(number), odd=("a", "b"))])
        store.append([event(100 + number, NOON, other="\x00l[1]")])

    rows = []
    for batch in store.scan(2, 5):
        for row, seq in enumerate(batch.seqs):
            present = {
                name: column.values[column.codes[row]]
                for name, column in batch.columns.items()
                if column.codes[row] >= 0
            }
            rows.append((seq, present, batch.source.values[batch.source.codes[row]]))

    assert rows == [
        (2, {"other": "\x00l[1]"}, "auth.log"),
        (3, {"n": "2", "odd": ("a", "b")}, "auth.log"),
        (4, {"other": "\x00l[1]"}, "auth.log"),
        (5, {"n": "3", "odd": ("a", "b")}, "auth.log"),
    ]


def test_pages_go_backwards_in_time_without_gap_or_repeat(store: LogStore) -> None:
    store.append([event(n, NOON + (n % 4) * DAY) for n in range(20)])

    seen, before = [], None
    while page := store.search(EVERYTHING, ALWAYS, 3, before):
        seen += numbers(page)
        before = (page[-1].event.at, page[-1].seq)

    assert seen == sorted(range(20), key=lambda n: (n % 4, n), reverse=True)


def test_what_is_found_is_what_was_stored(store: LogStore) -> None:
    given_event = event(7, text="多语言 İß\r\n", several=("x", "", "x"), empty="")
    store.append([event(6), given_event])

    assert store.search(Term("empty", ""), ALWAYS, 10)[0].event == given_event
    assert [s.event for s in store.get([given_event.id, "f" * 64])] == [given_event]
    assert store.get([given_event.id])[0].seq == 2


def test_a_window_is_closed_below_and_open_above(store: LogStore) -> None:
    store.append([event(1, NOON), event(2, NOON + 1), event(3, NOON + 2)])

    assert numbers(store.search(EVERYTHING, Window(NOON, NOON + 2), 10)) == [2, 1]


def test_counts_by_field_and_time(store: LogStore) -> None:
    store.append(
        [
            event(1, NOON, user="ann", tags=("a", "b", "a")),
            event(2, NOON + 30_000_000, user="bob", tags="a"),
            event(3, NOON + 90_000_000, user="ann"),
            event(4, NOON - DAY),
        ]
    )

    by_user = store.aggregate(EVERYTHING, ALWAYS, Aggregation(("user",)))
    by_tag = store.aggregate(EVERYTHING, ALWAYS, Aggregation(("tags",)))
    by_minute = store.aggregate(Exists("user"), ALWAYS, Aggregation(("user",), interval=60))
    total = store.aggregate(Term("user", "ann"), ALWAYS, Aggregation())

    assert by_user == [Bucket(("ann",), 2), Bucket(("bob",), 1)]
    assert by_tag == [Bucket(("a",), 2), Bucket(("b",), 1)]
    assert by_minute == [
        Bucket(("2026-11-22T12:00:00Z", "ann"), 1),
        Bucket(("2026-11-22T12:00:00Z", "bob"), 1),
        Bucket(("2026-11-22T12:01:00Z", "ann"), 1),
    ]
    assert total == [Bucket((), 2)]
    assert store.aggregate(EVERYTHING, ALWAYS, Aggregation(("user",), limit=1)) == by_user[:1]


def test_sources_are_summed_up(store: LogStore) -> None:
    store.append([event(1, NOON), event(2, NOON + DAY), event(3, NOON, source="web.log")])

    found = [(s.source, s.events, s.first_at, s.last_at, s.last_ingested) for s in store.sources()]

    assert found == [
        ("auth.log", 2, NOON, NOON + DAY, NOON + 2),
        ("web.log", 1, NOON, NOON, NOON + 3),
    ]


def test_a_day_goes_when_its_newest_arrival_is_old_and_may_come_again(store: LogStore) -> None:
    old, mixed = event(1, NOON - DAY), event(2, NOON)
    store.append([old, mixed])
    store.append([event(3, NOON)])

    assert store.drop_before(NOON + 3) == 1
    assert numbers(store.search(EVERYTHING, ALWAYS, 10)) == [3, 2]
    assert list(store.get([old.id])) == []
    assert store.last_seq() == 3
    again = store.append([old, mixed])
    assert (again.stored, again.duplicates, again.last_seq) == (1, 1, 4)


def test_a_day_under_a_hold_is_never_dropped(store: LogStore) -> None:
    store.append([event(1, NOON - 2 * DAY), event(2, NOON - DAY), event(3, NOON)])
    held = [(NOON - DAY - 1, NOON - DAY)]  # a moment of one day keeps the day

    assert store.drop_before(NOON + 10 * DAY, held) == 2
    assert numbers(store.search(EVERYTHING, ALWAYS, 10)) == [2]
    assert store.drop_before(NOON + 10 * DAY) == 1


TEXTS = st.sampled_from(
    [
        "",
        "a",
        "A",
        "ab",
        "a*b",
        "a?b",
        "\\",
        "a\\b",
        "Ärger",
        "äRGER",
        "straße",
        "STRASSE",
        "10",
        "9",
        "1.5",
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "192.168.0.1",
        "fe80::1",
        "x\r\ny",
        "X\ny",
        "10.1.2.0/24",
    ]
)
PATTERNS = TEXTS | st.sampled_from(
    [
        "*",
        "?",
        "a*",
        "*b",
        "*a*",
        "a?",
        "??",
        "*\\**",
        "\\?",
        "a\\*b",
        "*\\",
        "10.0.0.0/8",
        "10*1*3",
        "fe80::/10",
        "*\n*",
        "s*e",
        "*ß*",
        "a\\\\b",
    ]
)
NAMES = st.sampled_from(["user", "ip", "System.user", "log.source", "event.id", "@x"])
LEAVES: st.SearchStrategy[Query] = st.one_of(
    st.builds(Term, st.none() | NAMES, PATTERNS, st.booleans()),
    st.builds(Exists, NAMES),
    st.builds(Range, NAMES, st.none() | TEXTS, st.none() | TEXTS, st.booleans(), st.booleans()),
    st.builds(
        Range,
        st.just("@timestamp"),
        st.none() | st.just("2026-11-22T12:00:00Z"),
        st.none() | st.just("2026-11-23T12:00:00Z"),
        st.booleans(),
        st.booleans(),
    ),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
VALUES = TEXTS | st.lists(TEXTS, min_size=2, max_size=3).map(tuple)
EVENTS = st.lists(
    st.builds(
        LogEvent,
        st.integers(0, 12).map(lambda n: hashlib.sha256(str(n).encode()).hexdigest()),
        st.sampled_from(["s1", "S2"]),
        st.sampled_from([NOON, NOON + 1, NOON + DAY, NOON - DAY]),
        st.integers(NOON, NOON + 5),
        st.dictionaries(st.sampled_from(["user", "ip", "System.user", "@x"]), VALUES),
        TEXTS.map(str.encode) | st.sampled_from([b"\xff\xfe", "中文".encode("gb18030")]),
    ),
    max_size=8,
)


def assert_agreement(real: LogStore, batches: list[list[LogEvent]], queries: list[Query]) -> None:
    fake = FakeLogStore()
    for batch in batches:
        assert real.append(batch) == fake.append(batch)

    for query in queries:
        expected = fake.search(query, ALWAYS, 100)
        assert list(real.search(query, ALWAYS, 100)) == list(expected)
        by = Aggregation(("user", "ip"), interval=60)
        assert real.aggregate(query, ALWAYS, by) == fake.aggregate(query, ALWAYS, by)
    assert list(real.sources()) == list(fake.sources())
    assert real.drop_before(NOON + 3) == fake.drop_before(NOON + 3)
    assert list(real.search(EVERYTHING, ALWAYS, 100)) == list(fake.search(EVERYTHING, ALWAYS, 100))


@settings(max_examples=25)
@given(batches=st.lists(EVENTS, max_size=3), queries=st.lists(QUERIES, min_size=1, max_size=4))
def test_both_stores_agree_on_any_events_and_queries(
    batches: list[list[LogEvent]],
    queries: list[Query],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    assert_agreement(segments(tmp_path_factory.mktemp("segments")), batches, queries)


@pytest.mark.service
@settings(max_examples=5)
@given(
    batches=st.lists(EVENTS, min_size=1, max_size=2),
    queries=st.lists(QUERIES, min_size=6, max_size=12),
)
def test_elasticsearch_agrees_on_any_events_and_queries(
    batches: list[list[LogEvent]],
    queries: list[Query],
    elasticsearch: ElasticsearchServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    address = address_of(elasticsearch)
    store = open_store(address, tmp_path_factory.mktemp("elastic")).store
    assert_agreement(store, batches, queries)
    forget(elasticsearch, address)
