"""Queries as people write them give the same events on every log store.

``CASES`` is the contract: what a person writes, and the numbers of the events that answer. A
new store is added to the fixture and has to give the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from detectors.core.query.syntax import parse_query
from secops.kernel.clock import from_rfc3339
from secops.kernel.logs import Aggregation, Bucket, LogEvent, LogStore, Value, Window
from tests.contracts.test_log_store import ELASTICSEARCH, elastic, segments
from tests.fakes.log_store import FakeLogStore

ZONE = ZoneInfo("Asia/Shanghai")
NOW = from_rfc3339("2026-11-22T12:00:00Z")
ALWAYS = Window()

ROWS: tuple[tuple[str, str, str, Mapping[str, Value]], ...] = (
    # source, time, raw line, fields
    (
        "auth.log",
        "2026-11-22T01:00:00Z",
        "Failed password for root from 10.1.2.3 port 22 ssh2",
        {
            "user.name": "root",
            "source.ip": "10.1.2.3",
            "event.outcome": "failure",
            "source.port": "22",
        },
    ),
    (
        "auth.log",
        "2026-11-22T02:30:00Z",
        "Accepted publickey for Ann from 192.168.7.9 port 50022 ssh2",
        {
            "user.name": "Ann",
            "source.ip": "192.168.7.9",
            "event.outcome": "success",
            "source.port": "50022",
        },
    ),
    (
        "auth.log",
        "2026-11-21T15:59:59Z",
        "Failed password for invalid user test from 2001:db8::17 port 9",
        {
            "user.name": "test",
            "source.ip": "2001:db8::17",
            "event.outcome": "failure",
            "source.port": "9",
        },
    ),
    (
        "web.log",
        "2026-11-22T11:59:59.999999Z",
        "GET /a/../etc/passwd HTTP/1.1 404",
        {
            "url.path": "/a/../etc/passwd",
            "http.response.status_code": "404",
            "source.ip": "10.200.0.1",
        },
    ),
    (
        "web.log",
        "2026-11-21T16:00:00Z",
        "GET /index?q=a*b HTTP/1.1 200",
        {
            "url.path": "/index",
            "url.query": "q=a*b",
            "http.response.status_code": "200",
            "source.ip": "::ffff:10.1.2.3",
        },
    ),
    (
        "win",
        "2026-11-20T00:00:00Z",
        "PowerShell -enc AAAA",
        {
            "CommandLine": 'C:\\Windows\\powershell.exe -enc "AAAA"',
            "System.EventID": "4688",
            "tags": ("a", "B", ""),
        },
    ),
    (
        "win",
        "2026-11-19T00:00:00Z",
        "多语言 登录失败 STRASSE",
        {"user.name": "张三", "message": "Straße İ", "System.EventID": "4625"},
    ),
    (
        "app",
        "2026-11-18T00:00:00Z",
        "balance -5 note empty",
        {"balance": "-5", "note": "", "odd name": "x", "ratio": "0.25", "tags": "b"},
    ),
    (
        "app",
        "2026-11-17T00:00:00Z",
        "balance 10 two  blanks",
        {"balance": "10", "note": "two\r\nlines", "path": "a?b", "flag": "true"},
    ),
    (
        "app",
        "2026-11-16T00:00:00Z",
        "long",
        {"long": "x" * 9_000 + "END", "balance": "9", "note": "AND"},
    ),
)
EVERY = set(range(len(ROWS)))

CASES: tuple[tuple[str, set[int]], ...] = (
    ("", EVERY),
    ("*", EVERY),
    ("*:*", EVERY),
    # words and phrases look into the raw line, in any case, anywhere in it
    ("failed", {0, 2}),
    ("ailed pass", {0, 2}),
    ('"failed password for invalid"', {2}),
    ("failed AND NOT invalid", {0}),
    ("+failed -invalid", {0}),
    ("failed OR accepted", {0, 1, 2}),
    ("f?iled", {0, 2}),
    ("get*404", {3}),
    ('"get*404"', set()),
    ("登录失败", {6}),
    ("straße", {6}),
    ('"a*b"', {4}),
    ("a\\*b", {4}),
    ("etc\\/passwd", {3}),
    # fields: the whole value, folded
    ("user.name:ROOT", {0}),
    ("user.name:ro", set()),
    ("user.name:ro*", {0}),
    ("user.name:?nn", {1}),
    ("user.name:张*", {6}),
    ("NOT user.name:root", EVERY - {0}),
    ("user.name:(root OR ann)", {0, 1}),
    ("user.name:(r* AND NOT root)", set()),
    ("user.name:(root ann)", set()),
    ('url.path:"/a/../etc/passwd"', {3}),
    ("url.path:\\/a*", {3}),
    ("url.path:*\\.\\.*", {3}),
    ("url.query:*a\\*b", {4}),
    ("path:a\\?b", {8}),
    ("path:a?b", {8}),
    ("CommandLine:*powershell.exe*", {5}),
    ('CommandLine:"C:\\\\Windows\\\\powershell.exe -enc \\"aaaa\\""', {5}),
    ("CommandLine:c\\:\\\\windows*", {5}),
    ("message:strasse*", {6}),
    ('note:"two\nlines"', {8}),
    ('note:"AND"', {9}),
    ("flag:TRUE", {8}),
    ("odd\\ name:x", {7}),
    ("long:x*end", {9}),
    ("long:*end", {9}),
    ("long:xx*", {9}),
    # presence, empty texts, lists
    ("note:*", {7, 8, 9}),
    ("_exists_:note", {7, 8, 9}),
    ("NOT _exists_:source.ip", {5, 6, 7, 8, 9}),
    ('note:""', {7}),
    ("tags:b", {5, 7}),
    ("tags:(a AND b)", {5}),
    ('tags:""', {5}),
    ("nothing:here", set()),
    ("NOT nothing:here", EVERY),
    ("long:*", {9}),
    # Windows: System's fields under their own name, and in full
    ("EventID:4688", {5}),
    ("System.EventID:46*", {5, 6}),
    # addresses
    ("source.ip:10.0.0.0/8", {0, 3, 4}),
    ("source.ip:10.1.2.3", {0}),
    ("source.ip:10.1.2.0/24 AND event.outcome:failure", {0}),
    ("source.ip:2001:db8::/32", {2}),
    ("source.ip:2001:db8::17", {2}),
    ('source.ip:"2001:db8::17"', {2}),
    ("source.ip:[10.1.2.0 TO 10.1.3.0]", {0, 4}),
    ("source.ip:[2001:db8:: TO 2001:db8::ffff]", {2}),
    ("source.ip:192.168.*", {1}),
    # ranges: numbers as numbers, texts as texts
    ("source.port:[10 TO 50022}", {0}),
    ("source.port:>9", {0, 1}),
    ("source.port:>=9", {0, 1, 2}),
    ("source.port:<22", {2}),
    ("balance:<0", {7}),
    ("balance:-5", {7}),
    ("balance:>-6", {7, 8, 9}),
    ("balance:[-5 TO 9]", {7, 9}),
    ("ratio:[0.2 TO 0.3]", {7}),
    ("http.response.status_code:[400 TO 499]", {3}),
    ("user.name:[a TO s}", {0, 1}),
    ("user.name:{* TO ann]", {1}),
    # times: without a zone they are Beijing's
    ("@timestamp:2026-11-22", {0, 1, 3, 4}),
    ("@timestamp:[2026-11-21 TO 2026-11-22]", {0, 1, 2, 3, 4}),
    ("@timestamp:{2026-11-21 TO *]", {0, 1, 3, 4}),
    ("@timestamp:<2026-11-22", EVERY - {0, 1, 3, 4}),
    ("@timestamp:>=now-1h", {3}),
    ("@timestamp:>2026-11-22T10:30:00+08:00", {3}),
    ("@timestamp:[2026-11-22T10:30 TO *]", {1, 3}),
    ('@timestamp:"2026-11-22T01:00:00Z"', {0}),
    # every event's own
    ("log.source:WIN", {5, 6}),
    ("log.source:*.log AND NOT failed", {1, 3, 4}),
    ("(failed OR get) AND source.ip:10.0.0.0/8", {0, 3, 4}),
    ("failed OR get AND source.ip:10.0.0.0/8", {0, 2, 3, 4}),
    ("NOT (failed OR get)", {1, 5, 6, 7, 8, 9}),
)


def identifier(number: int) -> str:
    return hashlib.sha256(f"search {number}".encode()).hexdigest()


def events() -> list[LogEvent]:
    return [
        LogEvent(identifier(n), source, from_rfc3339(at), NOW, fields, raw.encode())
        for n, (source, at, raw, fields) in enumerate(ROWS)
    ]


@pytest.fixture(params=["fake", "segments", ELASTICSEARCH])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> LogStore:
    store: LogStore = FakeLogStore()
    if request.param == "segments":
        store = segments(tmp_path)
    if request.param == "elasticsearch":
        store = elastic(request.getfixturevalue("elasticsearch"), tmp_path)
    store.append(events()[:6])
    store.append(events()[6:])
    return store


def test_what_people_write_finds_the_same_events_in_every_store(filled: LogStore) -> None:
    numbers = {identifier(n): n for n in EVERY}
    found = {}
    for text, _ in CASES:
        answer = filled.search(parse_query(text, ZONE, NOW), ALWAYS, 100)
        found[text] = {numbers[stored.event.id] for stored in answer}

    assert found == dict(CASES)


def test_an_event_is_found_by_its_id(filled: LogStore) -> None:
    query = parse_query(f"event.id:{identifier(3)}", ZONE, NOW)

    assert [s.event for s in filled.search(query, ALWAYS, 10)] == [events()[3]]


def test_pages_stay_what_they_were_while_events_arrive(filled: LogStore) -> None:
    query = parse_query("source.ip:*", ZONE, NOW)
    first = filled.search(query, ALWAYS, 2)
    newer = [
        LogEvent(identifier(100 + n), "auth.log", NOW + n, NOW, {"source.ip": "10.9.9.9"}, b"new")
        for n in range(3)
    ]
    filled.append(newer)

    place = (first[-1].event.at, first[-1].seq)
    rest = filled.search(query, ALWAYS, 10, place)
    seen = [*first, *rest]

    assert [s.event.id for s in seen] == [identifier(n) for n in (3, 1, 0, 4, 2)]


def test_counts_by_term_and_time_are_the_same_in_every_store(filled: LogStore) -> None:
    query = parse_query("source.ip:*", ZONE, NOW)

    assert filled.aggregate(query, ALWAYS, Aggregation(("event.outcome",))) == [
        Bucket(("failure",), 2),
        Bucket(("success",), 1),
    ]
    assert filled.aggregate(query, ALWAYS, Aggregation((), interval=86_400)) == [
        Bucket(("2026-11-21T00:00:00Z",), 2),
        Bucket(("2026-11-22T00:00:00Z",), 3),
    ]
    assert filled.aggregate(query, ALWAYS, Aggregation(("log.source",), limit=1)) == [
        Bucket(("auth.log",), 3)
    ]
