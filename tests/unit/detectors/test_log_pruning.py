"""What a search does not read can't have held a match: keys, windows, and the files of keys."""

from __future__ import annotations

import hashlib
import ipaddress
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.adapters.segments import open_segments
from detectors.adapters.segments.checking import SegmentFiles
from detectors.adapters.segments.terms import EVERYWHERE, TermFiles, look_up, terms_of
from detectors.core.query import evaluator
from detectors.core.query.pruning import (
    keys_of,
    possible_places,
    possible_window,
    presence_key,
)
from secops.kernel.logs import (
    Aggregation,
    And,
    Exists,
    LogEvent,
    LogStore,
    Not,
    Or,
    Query,
    Range,
    Term,
    Window,
)
from tests.contracts.test_log_store import EVENTS, QUERIES
from tests.fakes.log_store import holds

NOON = 1_795_348_800_000_000
ALWAYS = Window()


def index_of(events: list[LogEvent]) -> dict[int, int]:
    """Return the keys of ``events``; event n is at place n."""
    index: dict[int, int] = defaultdict(int)
    for number, event in enumerate(events):
        for name, value in event.fields.items():
            index[presence_key(name)] |= 1 << number
            for key in keys_of(name, [value])[0]:
                index[key] |= 1 << number
    return index


@given(events=EVENTS, query=QUERIES)
def test_no_event_that_matches_is_passed_over(events: list[LogEvent], query: Query) -> None:
    index = index_of(events)
    everywhere = (1 << len(events)) - 1
    sources = {event.source for event in events}
    places = possible_places(query, lambda key: index.get(key, 0), everywhere, sources)
    window = possible_window(query, Window(NOON - 10**15, NOON + 10**15))

    assert places & ~everywhere == 0
    for number, event in enumerate(events):
        if holds(query, event):
            assert places >> number & 1
            assert window.since is not None
            assert window.until is not None
            assert window.since <= event.at < window.until


ADDRESSES = st.ip_addresses().map(str) | st.ip_addresses(v=4).map(lambda a: f"::ffff:{a}")


@given(text=ADDRESSES | st.sampled_from(["[::1]", "fe80::1%eth0", "1.5", "999.1.1.1", "a:b"]),
       bits=st.integers(0, 128) | st.sampled_from([32, 128]))  # fmt: skip
def test_an_address_is_found_by_every_network_around_it(text: str, bits: int) -> None:
    event = LogEvent("0" * 64, "s", NOON, NOON, {"ip": text}, b"")
    try:
        around = str(ipaddress.ip_network(f"{text}/{bits}", strict=False))
    except ValueError:
        around = "10.0.0.0/8"
    query = Term("ip", around)
    index = index_of([event])

    if holds(query, event):
        assert possible_places(query, lambda key: index.get(key, 0), 1, {"s"}) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Term("user", "ann"), 0b01),
        (Term("user", "ANN"), 0b01),
        (Term("user", "carl"), 0),
        (Term("user", "alex*"), 0b10),
        (Term("user", "alfo*"), 0),
        (Term("user", "al*"), 0b11),
        (Term("ip", "10.1.0.0/16"), 0b01),
        (Term("ip", "10.1.2.0/25"), 0b01),
        (Term("ip", "10.1.2.3/32"), 0b01),
        (Term("ip", "10.1.2.4/32"), 0),
        (Term("ip", "2001:db8:0::1/128"), 0b10),
        (Term("ip", "2001:db8::2/128"), 0),
        (Term("ip", "10.0.0.0/4"), 0b11),
        (Term("ip", "2001:db8::/32"), 0b10),
        (Term("ip", "2001:db8:8000::/33"), 0b10),
        (Term("ip", "::/8"), 0b11),
        (Term("ip", "10.1.0.0/16", quoted=True), 0),
        (Term("log.source", "other"), 0),
        (Term("log.source", "S"), 0b11),
        (Exists("log.source"), 0b11),
        (Exists("note"), 0b10),
        (Range("note", "a", None), 0b10),
        (Range("@timestamp", "2026-01-01T00:00:00Z", None), 0b11),
        (Term(None, "anything"), 0b11),
        (Term("event.id", "0"), 0b11),
        (Not(Term("user", "ann")), 0b11),
        (And((Term("user", "ann"), Exists("note"), Exists("user"))), 0),
        (Or((Term("user", "ann"), Exists("note"))), 0b11),
    ],
)
def test_where_a_query_can_hold(query: Query, expected: int) -> None:
    events = [
        LogEvent("0" * 64, "s", NOON, NOON, {"user": ("ann", "bob"), "ip": "10.1.2.3"}, b""),
        LogEvent(
            "1" * 64, "s", NOON, NOON, {"user": "alexa", "ip": "2001:db8::1", "note": ""}, b""
        ),
    ]
    index = index_of(events)

    assert possible_places(query, lambda key: index.get(key, 0), 0b11, {"s"}) == expected


def test_what_a_query_says_of_time_narrows_the_window() -> None:
    low, high = "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"
    query = And((And((Range("@timestamp", low, None),)), Range("@timestamp", None, high)))

    assert possible_window(query, ALWAYS) == Window(1_795_305_600_000_000, 1_795_392_000_000_001)
    assert possible_window(query, Window(NOON, NOON + 1)) == Window(NOON, NOON + 1)
    assert possible_window(Or((query,)), ALWAYS) == ALWAYS


# --- files of keys -----------------------------------------------------------------------

ROWS = 40_000
ASKED: tuple[Query, ...] = (
    Term("user", "rare17000"),
    Term("user", "rare*"),
    Term("user", "U7"),
    Term("ip", "10.0.3.0/24"),
    And((Term("ip", "10.0.0.0/16"), Term("user", "u7"), Term(None, "line 3"))),
    And((Exists("late"), Range("@timestamp", "2026-11-22T12:00:00.030000Z", None))),
    Not(Exists("user")),
    Or((Term("user", "rare5"), Term("tags", "odd"))),
    Term("log.source", "nobody"),
)


def event_of(number: int) -> LogEvent:
    fields: dict[str, str | tuple[str, ...]] = {
        "user": f"rare{number}" if number % 17_000 == 5 or number == 17_000 else f"u{number % 50}",
        "ip": f"10.0.{number % 7}.{number % 251}",
    }
    if number > 33_000:
        fields["late"] = "true"
    if number % 9_999 == 0:
        fields["tags"] = ("even", "odd")
    identifier = hashlib.sha256(str(number).encode()).hexdigest()
    return LogEvent(identifier, "s", NOON + number, NOON, fields, b"line %d" % number)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pruned")
    opened(folder).append([event_of(number) for number in range(ROWS)])
    return folder


def opened(folder: Path) -> LogStore:
    return open_segments(folder, "p", evaluator, lambda name, details: None).store


def answers(store: LogStore) -> list[object]:
    by = Aggregation(("user",), limit=5)
    return [
        ([s.seq for s in store.search(query, ALWAYS, 50)], store.aggregate(query, ALWAYS, by))
        for query in ASKED
    ]


def test_answers_are_the_same_with_and_without_keys(home: Path) -> None:
    (keys,) = (home / "segments").glob("*/*.terms")
    content = keys.read_bytes()
    with_keys = answers(opened(home))
    keys.unlink()
    without = answers(opened(home))
    keys.write_bytes(content)

    assert with_keys == without
    assert with_keys[0][0] == [17_001]  # type: ignore[index]


def test_asking_again_gives_the_same_and_pages_join(home: Path) -> None:
    store = opened(home)
    first = store.search(Term("user", "rare*"), ALWAYS, 2)
    place = (first[-1].event.at, first[-1].seq)
    rest = store.search(Term("user", "rare*"), ALWAYS, 9, place)

    assert [s.seq for s in (*first, *rest)] == [34_006, 17_006, 17_001, 6]
    assert answers(store) == answers(store)


def test_keys_that_were_changed_to_hide_events_are_named(home: Path) -> None:
    (keys,) = (home / "segments").glob("*/*.terms")
    content = keys.read_bytes()
    checks = SegmentFiles(home / "segments").check_segments
    assert [check.problem for check in checks()] == [None]
    keys.write_bytes(content[:-4] + b"\0\0\0\0")
    (bad,) = checks()
    keys.unlink()
    (gone,) = checks()
    keys.write_bytes(content)

    assert (bad.problem or "").endswith(".terms was changed")
    assert gone.problem is None


def test_keys_go_with_their_part(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.append([event_of(number) for number in range(5_000)])
    left = tmp_path / "segments" / "2026-11-22" / "forgotten.terms"
    left.write_bytes(b"x")
    assert opened(tmp_path).drop_before(NOON + 10**13) == 1

    assert list((tmp_path / "segments").glob("*/*.terms")) == []


def test_small_parts_and_those_with_an_overflow_have_no_keys() -> None:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    assert terms_of(pa.table({"@seq": [1]}), evaluator) is None
    many = pa.table({"@seq": range(5_000), "@overflow": [b""] * 5_000})
    assert terms_of(many, evaluator) is None
    assert terms_of(pa.table({"@seq": range(5_000)}), evaluator) == b""


def test_opened_files_of_keys_are_remembered_in_bounds(tmp_path: Path) -> None:
    files = TermFiles(tmp_path)
    (tmp_path / "0.terms").write_bytes(
        (5).to_bytes(4, "little") + (EVERYWHERE).to_bytes(4, "little")
    )

    found = files.open("0.parquet")
    assert found is not None
    assert (look_up(found, 5), look_up(found, 4), look_up(found, 6)) == (EVERYWHERE, 0, 0)
    assert [files.open(f"{n}.parquet") for n in range(1, 1_100)] == [None] * 1_099
    assert files.open("0.parquet") is not None
