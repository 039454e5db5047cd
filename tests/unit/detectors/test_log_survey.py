"""Searches seen from above and taken away, from the service to both faces."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.query.exporting import cells_of, harmless
from detectors.core.query.histogram import STEPS, counted_step, histogram_of, step_for
from detectors.core.query.shielding import shielded, unshielded
from detectors.core.query.syntax import parse_query
from detectors.errors import (
    BadQuery,
    BadQueryTime,
    QueryNeedsField,
    QueryNotClosed,
    QueryNotOffered,
    QueryTooLarge,
)
from detectors.models.search import ExportOptions, Histogram, TimeBar
from detectors.service import DetectorsServices
from detectors.service.logs.log_search import LogSearch, narrowed
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND, from_rfc3339
from secops.kernel.errors import Conflict, Forbidden, Invalid
from secops.kernel.logs import Bucket, LogEvent, StoredEvent, Term
from tests.fakes.access import FakeAccess
from tests.fakes.log_store import FakeLogStore, holds
from tests.fakes.parts import Fakes, fakes
from tests.fakes.privacy_keys import FakePrivacyKeys
from tests.unit.detectors.test_log_api import House, actor_of, house, log

__all__ = ["house", "log"]

ZONE = ZoneInfo("Asia/Shanghai")
NOW = from_rfc3339("2026-11-22T12:00:00Z")
ANALYST = actor_of("analyst")


# --- the language's refusals -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "column"),
    [
        ("user:(a OR b", QueryNotClosed, 6),
        ('user:"a b', QueryNotClosed, 6),
        ('(a OR "b) c', QueryNotClosed, 7),
        ("port:[1 TO 5", QueryNotClosed, 6),
        (r"a\(b AND (c", QueryNotClosed, 10),
        ("a AND AND b", BadQuery, 7),
        ("a OR", BadQuery, 5),
        ("a)", BadQuery, 2),
        ("a:b:c", BadQuery, 3),
        ("_exists_:(a b)", BadQuery, 10),
        ("[1 TO 5]", QueryNeedsField, 1),
        ("path:/etc/", QueryNotOffered, 6),
        ("a b~2", QueryNotOffered, 3),
        ("a b^2", QueryNotOffered, 3),
        ("us*:a", QueryNotOffered, 1),
        ("a && b", QueryNotOffered, 3),
        ("b AND !a", QueryNotOffered, 7),
        ("x:1 @timestamp:soon", BadQueryTime, 16),
        ("@timestamp:[now TO later]", BadQueryTime, 12),
    ],
)
def test_a_refusal_names_its_place(text: str, kind: type[BadQuery], column: int) -> None:
    with pytest.raises(BadQuery) as refused:
        parse_query(text, ZONE, NOW)

    assert (type(refused.value), refused.value.facts) == (kind, {"column": column})
    _, shown, caret = refused.value.detail.split("\n")
    assert shown == f"  {text}"
    assert caret == " " * (column + 1) + "^"


def test_the_caret_stands_under_wide_characters_and_in_long_queries() -> None:
    with pytest.raises(QueryNotClosed) as wide:
        parse_query("张三 AND (b", ZONE, NOW)
    with pytest.raises(QueryNotClosed) as long:
        parse_query("a OR " * 50 + "(b", ZONE, NOW)

    assert wide.value.detail.split("\n")[2] == "  " + " " * 9 + "^"
    shown, caret = long.value.detail.split("\n")[1:]
    assert shown[caret.index("^")] == "("
    assert len(shown) < 90


@pytest.mark.parametrize(
    "text",
    ["a" * 4_001, "(" * 200, "NOT " * 40 + "a", " OR ".join("a" * 513)],
    ids=["length", "brackets", "depth", "terms"],
)
def test_limits_of_a_query(text: str) -> None:
    with pytest.raises(QueryTooLarge):
        parse_query(text, ZONE, NOW)


def test_a_character_that_only_shields_may_be_is_refused() -> None:
    with pytest.raises(BadQuery):
        parse_query("a\ufdd0b", ZONE, NOW)


@given(
    text=st.text(st.sampled_from('ab1:./-+"[]{}()<>=\\ T0'), max_size=40)
    | st.sampled_from(["@timestamp:>2026-11-22T08:00:00+08:00", "ip:(::1 OR fe80::/10)"])
)
def test_shields_keep_the_length_and_can_be_taken_off(text: str) -> None:
    assert len(shielded(text)) == len(text)
    assert unshielded(shielded(text)) == text


@given(name=st.sampled_from(["a", "odd name", "x:y", "A-b", "@x"]), value=st.text(max_size=12))
def test_narrowing_asks_for_exactly_the_value(name: str, value: str) -> None:
    if any("\ufdd0" <= char <= "\ufdd3" for char in value):
        return

    assert parse_query(narrowed("*", name, value), ZONE, NOW) == Term(name, value, quoted=True)


@pytest.mark.parametrize("query", ["a", "a OR b", "a b OR c AND d", "NOT a", "(a OR b) c", "a b"])
def test_narrowing_never_finds_what_was_not_found_before(query: str) -> None:
    for raw in ("a", "b", "c", "a b", "a c", "b c", "a c d", "c d", "x"):
        for user in ("ann", "bob"):
            event = LogEvent("0" * 64, "s", NOW, NOW, {"user": user}, raw.encode())
            found = holds(parse_query(query, ZONE, NOW), event)
            less = holds(parse_query(narrowed(query, "user", "ann"), ZONE, NOW), event)
            rest = narrowed(query, "user", "ann", without=True)
            other = holds(parse_query(rest, ZONE, NOW), event)
            assert (less, other) == (found and user == "ann", found and user != "ann")


def test_a_query_that_cannot_be_read_is_narrowed_as_it_stands() -> None:
    assert narrowed("(", "a", "b") == '( AND a:"b"'


# --- histogram ---------------------------------------------------------------------------


def test_a_step_suits_the_span() -> None:
    assert step_for(0, 60 * SECOND, 60) == 1
    assert step_for(0, 61 * SECOND, 60) == 5
    assert step_for(0, 0, 60) == 1
    assert step_for(0, 10**18, 60) == STEPS[-1]
    assert [counted_step(step, 28_800) for step in (3_600, 10_800, 86_400)] == [3600, 3600, 28_800]


def test_days_begin_where_the_reader_is_and_empty_ones_are_shown() -> None:
    buckets = [
        Bucket(("2026-11-20T15:59:00Z",), 1),
        Bucket(("2026-11-20T16:00:00Z",), 2),
        Bucket(("2026-11-22T16:00:00Z",), 4),
    ]

    assert histogram_of(buckets, 86_400, 28_800) == Histogram(
        86_400,
        (
            TimeBar(from_rfc3339("2026-11-19T16:00:00Z"), 1),
            TimeBar(from_rfc3339("2026-11-20T16:00:00Z"), 2),
            TimeBar(from_rfc3339("2026-11-21T16:00:00Z"), 0),
            TimeBar(from_rfc3339("2026-11-22T16:00:00Z"), 4),
        ),
        7,
    )
    assert histogram_of([], 60, 0) == Histogram(60, (), 0)


# --- the service -------------------------------------------------------------------------


@pytest.fixture
def kit(tmp_path: Path) -> Fakes:
    return fakes(tmp_path)


@pytest.fixture
def search(kit: Fakes) -> LogSearch:
    store = FakeLogStore()
    store.append(
        [
            LogEvent(
                f"{n:064x}",
                "web" if n % 2 else "ssh",
                NOW - n * 60 * SECOND,
                NOW,
                {"user.name": f"u{n % 3}", "note": "=1+1", "n": str(-n)},
                f"line {n}".encode(),
            )
            for n in range(12)
        ]
    )
    return LogSearch(kit.parts, store, FakePrivacyKeys(), "Asia/Shanghai")


def test_a_survey_counts_over_time_and_by_fields(search: LogSearch) -> None:
    found = search.survey_logs(ANALYST, "log.source:web", ["user.name", "absent"])

    assert found.histogram.total == 6
    assert sum(bar.count for bar in found.histogram.bars) == 6
    assert found.histogram.step == 30
    assert [facet.field for facet in found.facets] == ["user.name", "absent"]
    assert found.facets[0].terms == (
        Bucket(("u0",), 2), Bucket(("u1",), 2), Bucket(("u2",), 2),
    )  # fmt: skip
    assert found.facets[1].terms == ()


def test_the_ledger_keeps_of_a_query_what_nobody_can_guess(search: LogSearch, kit: Fakes) -> None:
    query = "user.name:110101199003072316"
    for asked in (query, query, "*"):
        search.survey_logs(ANALYST, asked, [])
    list(search.export_logs(ANALYST, query, ExportOptions()))
    digests = [act.details.get("query_hmac") for act in kit.trail.acts]
    first, again, other, intent, outcome = digests
    assert first == again == intent == outcome != other, "equal queries are seen to be equal"
    plain = {hashlib.new(name, query.encode()).hexdigest() for name in ("sha256", "sm3", "md5")}
    written = str([act.details for act in kit.trail.acts])
    assert not any(digest in written for digest in plain)
    assert "110101" not in written

    object.__setattr__(search.keys, "unlocked", False)
    search.survey_logs(ANALYST, query, [])
    assert kit.trail.acts[-1].details == {}, "a locked pool: that somebody searched, no more"


def test_a_window_bounds_the_histogram(search: LogSearch) -> None:
    window = ("2026-11-22T19:55:00+08:00", "2026-11-22T20:00:00+08:00")
    found = search.histogram_logs(ANALYST, "*", window=window, step=60)

    assert [bar.count for bar in found.bars] == [1, 1, 1, 1, 1]
    assert search.histogram_logs(ANALYST, "nothing").bars == ()
    half_open = ("2026-11-22T19:57:00+08:00", None), (None, "2026-11-22T19:57:00+08:00")
    counts = [search.histogram_logs(ANALYST, "*", window=w).total for w in half_open]
    assert counts == [4, 8]
    empty = LogSearch(search.parts, FakeLogStore(), FakePrivacyKeys(), "UTC")
    assert empty.histogram_logs(ANALYST, "*").total == 0
    with pytest.raises(Invalid, match="2000 bars"):
        search.histogram_logs(ANALYST, "*", window=("2026-01-01", "2026-12-31"), step=60)
    with pytest.raises(BadQueryTime):
        search.histogram_logs(ANALYST, "*", window=("2026-12-31", "2026-01-01"))
    with pytest.raises(Invalid):
        search.histogram_logs(ANALYST, "*", step=0)


def test_an_export_is_bounded_says_so_and_is_recorded(search: LogSearch, kit: Fakes) -> None:
    parts = list(search.export_logs(ANALYST, "*", ExportOptions("jsonl", 5)))
    whole = list(search.export_logs(ANALYST, "*", ExportOptions("jsonl", 12)))

    lines = b"".join(part.content for part in parts).splitlines()
    assert [orjson.loads(line)["raw"] for line in lines] == [f"line {n}" for n in range(5)]
    assert (parts[-1].rows, parts[-1].is_cut) == (5, True)
    assert (whole[-1].rows, whole[-1].is_cut) == (12, False)
    acts = [act for act in kit.trail.acts if act.action == "detectors.export_logs"]
    assert [act.outcome for act in acts] == ["intent", "done", "intent", "done"]
    assert (acts[1].details["events"], acts[1].details["is_cut"]) == (5, True)


def test_an_export_that_nobody_takes_to_its_end_is_recorded_as_failed(
    search: LogSearch, kit: Fakes
) -> None:
    parts = search.export_logs(ANALYST, "*", ExportOptions("csv", 5))
    next(parts)
    parts.close()  # type: ignore[attr-defined]

    assert [act.outcome for act in kit.trail.acts] == ["intent", "failed"]


def test_a_csv_computes_nothing(search: LogSearch) -> None:
    columns = ("@timestamp", "log.source", "note", "n", "user.name", "event.original", "event.id")
    options = ExportOptions("csv", 2, columns)
    text = b"".join(part.content for part in search.export_logs(ANALYST, "*", options)).decode()

    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0][2:] == list(columns)[2:]
    assert rows[0][0] == "'@timestamp"
    assert rows[2][1:6] == ["web", "'=1+1", "-1", "u1", "line 1"]


@given(text=st.text(max_size=10))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    shown = harmless(text)

    assert shown in (text, f"'{text}")
    if not shown.removeprefix("-").replace(".", "", 1).isdecimal():
        assert not shown.startswith(tuple("=+-@\t\r\n"))


def test_who_may_not_search_gets_nothing(search: LogSearch, kit: Fakes) -> None:
    assert isinstance(kit.parts.access, FakeAccess)
    staff = Actor("account", "s", "org_root", "s", frozenset({"staff"}))

    for ask in (
        lambda: search.survey_logs(staff, "*", ["a"]),
        lambda: search.histogram_logs(staff, "*"),
        lambda: search.top_terms(staff, "*", ["a"]),
        lambda: search.export_logs(staff, "*", ExportOptions()),
    ):
        with pytest.raises(Forbidden):
            ask()


@pytest.mark.parametrize(
    "options",
    [ExportOptions("xml"), ExportOptions("csv", 0), ExportOptions("csv", 1, ("a",) * 51)],  # type: ignore[arg-type]
)
def test_an_export_of_another_shape_is_refused(search: LogSearch, options: ExportOptions) -> None:
    with pytest.raises(Invalid):
        search.export_logs(ANALYST, "*", options)


# --- both faces --------------------------------------------------------------------------


def test_counts_and_exports_over_http(house: House, log: Path) -> None:
    house.run("ingest", str(log))
    status, bars = house.call("histogram_logs", "analyst", "q=ann&interval=3600")
    _, terms = house.call("top_terms", "auditor", "fields=source.ip,user.name&limit=1")

    assert (status, bars["total"], bars["interval"]) == (200, 5, 3600)
    assert bars["items"] == [{"at": "2026-11-22T09:00:00Z", "count": 5}]
    assert terms["items"] == [
        {"field": "source.ip", "terms": [{"value": "10.1.2.0", "count": 2}]},
        {"field": "user.name", "terms": [{"value": "ann", "count": 5}]},
    ]
    for bad in ("interval=x", "interval=0", "q=("):
        assert house.call("histogram_logs", "analyst", bad)[0] == 400
    for bad in ("fields=", "fields=a&limit=0", "fields=" + ",".join("abcdefghijklm")):
        assert house.call("top_terms", "analyst", bad)[0] == 400
    for bad in ("format=xml", "limit=50001", "limit=-1", "limit=123456789"):
        assert house.call("export_logs", "analyst", bad)[0] == 400
    for operation in ("histogram_logs", "top_terms", "export_logs"):
        assert house.call(operation, "integrator")[0] == 403


def test_an_export_over_http_is_a_file_that_says_whether_it_was_cut(
    house: House, log: Path
) -> None:
    house.run("ingest", str(log))
    cut = house.answer("export_logs", "analyst", "format=csv&limit=2&columns=user.name")
    whole = house.answer("export_logs", "auditor", "q=ann")

    assert cut.body.decode() == "\ufeffuser.name\r\nann\r\nann\r\n"
    assert (cut.header("x-exported-events"), cut.header("x-export-cut")) == ("2", "true")
    assert cut.header("content-disposition") == 'attachment; filename="logs.csv"'
    assert len(whole.body.splitlines()) == 5
    assert whole.header("x-export-cut") == "false"


def test_counts_on_the_command_line(house: House, log: Path) -> None:
    house.run("ingest", str(log))
    bars = house.run("search", "ann", "--histogram", "--interval", "3600")
    as_json = house.run("search", "ann", "--histogram", "--json")
    terms = house.run("search", "*", "--terms", "user.name", "--terms", "source.ip")
    one = house.run("search", "*", "--terms", "source.ip", "--limit", "1", "--json")

    assert bars.stdout == f"2026-11-22T09:00:00Z  5  {'█' * 50}\n"
    assert "5 events" in bars.stderr
    assert orjson.loads(as_json.stdout_bytes)["total"] == 5
    assert "user.name" in terms.stdout
    assert orjson.loads(one.stdout_bytes)["items"][0]["terms"] == [
        {"value": "10.1.2.0", "count": 2}
    ]
    both = house.run("search", "*", "--histogram", "--terms", "a")
    assert isinstance(both.exception, Invalid)


def test_exports_on_the_command_line(house: House, log: Path, tmp_path: Path) -> None:
    house.run("ingest", str(log))
    target = tmp_path / "found.csv"
    cut = house.run("search", "ann", "--export", str(target), "--limit", "3")
    shown = house.run("search", "ann", "--export", "-")
    again = house.run("search", "ann", "--export", str(target))
    nowhere = house.run("search", "ann", "--export", str(tmp_path / "no" / "x.csv"))

    assert "3 events exported" in cut.stderr
    assert "CUT at --limit 3" in cut.stderr
    assert target.read_text().count("Failed password") == 3
    assert target.stat().st_mode & 0o777 == 0o600
    assert shown.stdout.count("\n") == 5
    assert isinstance(again.exception, Conflict)
    assert isinstance(nowhere.exception, Invalid)
    assert isinstance(house.run("search", "a", "--export", "x.xml").exception, Invalid)
    assert house.run("search", "(", "--export", str(tmp_path / "n.csv")).exit_code != 0
    assert not (tmp_path / "n.csv").exists()


def test_the_services_hold_the_search(house: House) -> None:
    assert isinstance(house.plane.services, DetectorsServices)
    assert isinstance(house.plane.services.search, LogSearch)


def test_stored_events_are_what_an_export_reads() -> None:
    event = LogEvent("0" * 64, "s", NOW, NOW, {"tags": ("a", "b")}, b"\xff")
    assert cells_of(StoredEvent(1, event), ("tags", "event.original", "event.id", "none")) == [
        "a\nb", "\\xff", "0" * 64, "",
    ]  # fmt: skip


# --- the manual --------------------------------------------------------------------------

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "manual" / "logs.md"


def test_every_example_of_the_manual_can_be_read() -> None:
    table = MANUAL.read_text().partition("| write | means |")[2].partition("\n\n")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    examples = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]

    assert len(examples) >= 30
    for text in examples:
        parse_query(text, ZONE, NOW)
