"""Scanners' files: read within limits, compared with the scan before, mended findings gone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.scans import csv_files, sarif
from audits.core.scans.csv_files import read_csv
from audits.core.scans.limits import clean, severity_of
from audits.core.scans.sarif import read_sarif
from audits.errors import TooManyKept
from audits.errors.rectification import OtherScanner, ScanOutdated, ScanRejected
from audits.models.risks import FindingFilter, Scan
from audits.service.risks import scans as scan_service
from audits.service.risks.scans import NewScan
from secops.kernel.clock import DAY, MINUTE, SECOND
from secops.kernel.errors import Forbidden, Invalid, TooLarge
from secops.kernel.pages import PageRequest, every_item
from tests.fakes.rectification_house import (
    ANALYST,
    AUDITOR,
    STRANGER,
    FindingsHouse,
    open_findings_house,
    person,
)

HEADINGS = ("name", "severity", "host", "cve", "port", "description")
OPENSSH = ("OpenSSH 漏洞", "高危", "10.0.0.5", "CVE-2024-6387", "22", "远程执行")
NGINX = ("nginx 信息泄露", "低危", "10.0.0.6", "CVE-2020-0001", "443", "")
LOG4J = ("Log4j 远程执行", "critical", "10.0.0.7", "CVE-2021-44228", "8080", "")
PAGE = PageRequest()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[FindingsHouse]:
    with open_findings_house(tmp_path) as opened:
        yield opened


def table(*rows: Sequence[str], headings: Sequence[str] = HEADINGS) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([headings, *rows])
    return text.getvalue().encode()


def scanned(house: FindingsHouse, *rows: Sequence[str], scope: str = "内网") -> Scan:
    """Import a scan made a second later."""
    house.clock.advance(1)
    wish = NewScan("csv", table(*rows), scope, house.clock.now())
    scan, _ = house.services.scans.import_scan(ANALYST, wish)
    return scan


def listed(house: FindingsHouse, **wanted: str) -> list[tuple[str, str]]:
    page = house.services.scans.list_findings(AUDITOR, FindingFilter(**wanted), PAGE)
    return sorted((one.rule_id, one.state) for one in page.items)


def test_usual_headings_are_known_and_others_are_mapped() -> None:
    parsed = read_csv(b"\xef\xbb\xbf" + table(OPENSSH))
    (found,) = parsed.findings
    assert (found.rule_id, found.severity, found.asset) == ("CVE-2024-6387", "high", "10.0.0.5")
    assert (found.place, found.description) == ("22", "远程执行")
    mapping = {"title": "T", "severity": "S", "asset": "A"}
    content = table(("弱口令", "9.8", "db1"), headings=("T", "S", "A"))
    (mapped,) = read_csv(content, mapping).findings
    assert (mapped.rule_id, mapped.severity, mapped.place) == ("弱口令", "critical", "")
    (chinese,) = read_csv(table(OPENSSH).decode().encode("gb18030")).findings
    assert chinese.title == "OpenSSH 漏洞"


def test_repeated_lines_are_one_finding_and_it_is_told() -> None:
    parsed = read_csv(table(OPENSSH, OPENSSH, (), NGINX))
    assert len(parsed.findings) == 2
    assert [doubt.zh for doubt in parsed.doubts] == ["1 行与其他行为同一发现,已合并"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "headings"),
        (b"\n", "headings"),
        (b"PK\x03\x04\0\0", "not text"),
        (b"\xff\xfe\xfa", "neither"),
        (b'name,severity,host\n"x', "not CSV"),
        (b"name,severity,host\n" + b"x" * 200_000, "not CSV"),
        (b",".join([b"h"] * 101), "headings"),
        (table(("x", "高"), headings=("name", "severity")), "no column is known for asset"),
        (table(("", "高", "h"), headings=("name", "severity", "host")), "line 2"),
        (table(("x", "??", "h"), headings=("name", "severity", "host")), "line 2.*severity"),
        (table(("x", "nan", "h"), headings=("name", "severity", "host")), "severity"),
        (table(("x", "11", "h"), headings=("name", "severity", "host")), "severity"),
    ],
)
def test_a_malformed_table_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ScanRejected, match=why):
        read_csv(content)


def test_a_mapping_of_other_fields_or_missing_columns_is_refused() -> None:
    for mapping, why in (({"x": "name"}, "mapped for"), ({"title": "nothing"}, "no column")):
        with pytest.raises(ScanRejected, match=why):
            read_csv(table(OPENSSH), mapping)


def test_too_large_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (csv_files, sarif):
        monkeypatch.setattr(module, "MAX_FINDINGS", 1)
    with pytest.raises(ScanRejected, match="at most 1 findings"):
        read_csv(table(OPENSSH, NGINX))
    with pytest.raises(ScanRejected, match="at most 1 findings"):
        read_sarif(report(result("a"), result("b")))
    two = orjson.loads(report(result("a")))
    two["runs"].append(orjson.loads(report(result("b")))["runs"][0])
    with pytest.raises(ScanRejected, match="at most 1 findings"):
        read_sarif(orjson.dumps(two))
    for read in (read_csv, read_sarif):
        monkeypatch.setattr(csv_files, "MAX_FILE", 3)
        monkeypatch.setattr(sarif, "MAX_FILE", 3)
        with pytest.raises(ScanRejected, match="bytes"):
            read(b"abcd")


def test_severities_are_words_or_scores() -> None:
    assert [severity_of(word) for word in ("Critical", " 中危 ", "0", "3.9", "4.0", "8")] == [
        "critical",
        "medium",
        "info",
        "low",
        "medium",
        "high",
    ]


@given(st.text(max_size=80))
def test_what_a_scanner_says_is_one_printable_line(text: str) -> None:
    shown = clean(text, 20)
    assert len(shown) <= 20
    assert shown == "" or shown.isprintable()
    assert clean(shown, 20) == shown


def result(rule: str = "js/sqli", **more: Any) -> dict[str, Any]:
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": "src/login.js"},
            "region": {"startLine": 7},
        }
    }
    return {"ruleId": rule, "message": {"text": "拼接 SQL"}, "locations": [place], **more}


def report(*results: Any, rules: Sequence[Any] = (), **run: Any) -> bytes:
    tool = {"driver": {"name": "CodeQL", "rules": list(rules)}}
    body = {"tool": tool, "results": list(results), **run}
    return orjson.dumps({"version": "2.1.0", "runs": [body]})


def test_failing_results_of_sarif_are_read_with_rule_and_place() -> None:
    rules = [
        {"id": "other"},
        {
            "id": "js/sqli",
            "shortDescription": {"text": "SQL 注入"},
            "properties": {"security-severity": "9.1"},
        },
    ]
    parsed = read_sarif(report(result(), rules=rules))
    (found,) = parsed.findings
    assert (parsed.scanner, found.rule_id, found.title) == ("CodeQL", "js/sqli", "SQL 注入")
    assert (found.severity, found.asset, found.place) == ("critical", "src/login.js", "7")
    good = report(result(), rules=rules, invocations=[{"executionSuccessful": True}])
    assert read_sarif(good).findings[0].fingerprint == found.fingerprint
    by_index = read_sarif(report({**result(""), "rule": {"index": 1}}, rules=rules)).findings[0]
    assert by_index.rule_id == "js/sqli"


@pytest.mark.parametrize(
    ("more", "rule", "severity"),
    [
        ({"level": "error"}, {}, "high"),
        ({"level": "none"}, {}, "info"),
        ({"level": "loud"}, {}, "medium"),
        ({}, {"defaultConfiguration": {"level": "note"}}, "low"),
        ({}, {}, "medium"),
        ({"properties": {"security-severity": 7.5}}, {}, "high"),
        ({"properties": {"security-severity": True}, "level": "note"}, {}, "low"),
    ],
)
def test_a_level_or_a_score_says_how_severe(more: Any, rule: Any, severity: str) -> None:
    content = report(result(**more), rules=[{"id": "js/sqli", **rule}])
    assert read_sarif(content).findings[0].severity == severity


def test_what_passes_is_suppressed_or_repeated_is_left_out_and_told() -> None:
    parsed = read_sarif(
        report(
            result("a"),
            result("a"),
            result("b", kind="pass"),
            result("c", baselineState="absent"),
            result("d", suppressions=[{"kind": "inSource"}]),
            result("e", suppressions=[{"kind": "external", "status": "rejected"}]),
        )
    )
    assert [found.rule_id for found in parsed.findings] == ["a", "e"]
    assert [doubt.en.partition(" ")[0] for doubt in parsed.doubts] == ["1", "2", "1"]


def test_fingerprints_of_the_scanner_hold_when_lines_move() -> None:
    moved = result(locations=[])
    assert read_sarif(report(moved)).findings[0].asset == "unknown"
    first = result(partialFingerprints={"primaryLocationLineHash": "abc"})
    second = {**first, "message": {"text": "另一种说法"}}
    marks = {read_sarif(report(one)).findings[0].fingerprint for one in (first, second)}
    assert len(marks) == 1
    plain = {read_sarif(report(one)).findings[0].fingerprint for one in (result(), moved)}
    assert len(plain) == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not SARIF"),
        (b'{"version":"2.0.0"}', "not SARIF"),
        (b'{"version":"2.1.0","runs":[]}', "1 to 50 runs"),
        (b'{"version":"2.1.0","runs":{}}', "1 to 50 runs"),
        (report(invocations=[{"executionSuccessful": False}]), "did not succeed"),
        (b'{"version":"2.1.0","runs":[{"tool":1}]}', "no results"),
        (b'{"version":"2.1.0","runs":[{"results":null}]}', "no results"),
    ],
)
def test_a_malformed_sarif_file_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ScanRejected, match=why):
        read_sarif(content)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ruleId", "rule", "message", "locations", "text", "id", "properties"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.lists(_JSON, max_size=3), st.lists(_JSON, max_size=2))
def test_results_of_any_shape_are_read_or_refused(results: list[Any], rules: list[Any]) -> None:
    parsed = read_sarif(report(*results, rules=rules))
    assert len(parsed.findings) <= len(results)


def test_what_a_later_scan_lacks_is_gone_and_comes_back_due_anew(house: FindingsHouse) -> None:
    first = scanned(house, OPENSSH, NGINX)
    assert (first.findings, first.added, first.gone) == (2, 2, 0)
    second = scanned(house, NGINX, LOG4J)
    assert (second.added, second.gone) == (1, 1)
    assert listed(house) == [
        ("CVE-2020-0001", "open"),
        ("CVE-2021-44228", "open"),
        ("CVE-2024-6387", "gone"),
    ]
    third = scanned(house, OPENSSH)
    page = house.services.scans.list_findings(AUDITOR, FindingFilter(state="open"), PAGE)
    (back,) = page.items
    assert (back.due_at, back.gone_at) == (third.scanned_at + 30 * DAY, 0)
    assert (back.first_scan, back.last_scan) == (first.id, third.id)
    assert [scan.id for scan in house.services.scans.list_scans(AUDITOR, PAGE).items] == [
        third.id,
        second.id,
        first.id,
    ]


def test_another_scope_makes_nothing_gone(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    assert scanned(house, LOG4J, scope="互联网区").gone == 0
    assert listed(house, state="open", scope="内网") == [("CVE-2024-6387", "open")]
    assert listed(house, severity="critical") == [("CVE-2021-44228", "open")]
    with pytest.raises(Invalid, match="open, gone or retired"):
        listed(house, state="lost")


def test_an_older_or_the_same_scan_is_refused(house: FindingsHouse) -> None:
    scan = scanned(house, OPENSSH)
    for at in (scan.scanned_at, scan.scanned_at - SECOND):
        wish = NewScan("csv", table(), "内网", at)
        with pytest.raises(ScanOutdated):
            house.services.scans.import_scan(ANALYST, wish)
    for at in (0, house.clock.now() + DAY):
        with pytest.raises(Invalid, match="past"):
            house.services.scans.import_scan(ANALYST, NewScan("csv", table(), "内网", at))
    assert house.refused() == ["audits.import_scan"] * 2
    assert listed(house, state="gone") == []


def test_formats_sizes_rights_and_counts_are_bounded(
    house: FindingsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, now = house.services.scans.import_scan, house.clock.now()
    with pytest.raises(ScanRejected, match="formats"):
        load(ANALYST, NewScan("xml", b"", "内网", now))
    with pytest.raises(Forbidden):
        load(person("x", "staff"), NewScan("csv", table(), "内网", now))
    monkeypatch.setattr(scan_service, "MAX_FILE", 3)
    with pytest.raises(TooLarge):
        load(ANALYST, NewScan("csv", table(), "内网", now))
    monkeypatch.undo()
    monkeypatch.setattr(scan_service, "MAX_KEPT", 1)
    with pytest.raises(TooManyKept):
        scanned(house, OPENSSH, NGINX)
    monkeypatch.setattr(scan_service, "_MAX_SCOPES", 0)
    with pytest.raises(TooManyKept):
        scanned(house, OPENSSH)


def test_a_finding_that_becomes_graver_is_so_and_due_sooner(house: FindingsHouse) -> None:
    first = scanned(house, (*LOG4J[:1], "low", *LOG4J[2:]), NGINX)
    second = scanned(house, LOG4J, (*NGINX[:1], "info", *NGINX[2:]))
    page = house.services.scans.list_findings(AUDITOR, FindingFilter(), PAGE)
    seen = {one.rule_id: (one.severity, one.due_at) for one in page.items}
    assert seen == {
        "CVE-2021-44228": ("critical", second.scanned_at + 7 * DAY),
        "CVE-2020-0001": ("info", first.scanned_at + 180 * DAY),
    }


def test_of_lines_that_repeat_a_finding_the_gravest_counts() -> None:
    graver = (*NGINX[:1], "critical", *NGINX[2:])
    assert [one.severity for one in read_csv(table(NGINX, graver)).findings] == ["critical"]
    twice = report(result(level="note"), result(level="error"))
    assert [one.severity for one in read_sarif(twice).findings] == ["high"]


def test_rules_of_extensions_say_how_severe() -> None:
    grave = {"id": "js/sqli", "properties": {"security-severity": "9.8"}}
    mild = {"id": "js/mild", "defaultConfiguration": {"level": "note"}}
    tool = {"driver": {"name": "CodeQL", "rules": [mild]}, "extensions": [{"rules": [grave]}]}
    by_index = {"id": "js/sqli", "index": 0, "toolComponent": {"index": 0}}
    nowhere = {"id": "js/sqli", "index": 0, "toolComponent": {"index": 7}}
    for reference in ({"rule": by_index}, {"rule": nowhere}, {}):
        (found,) = read_sarif(report({**result(), **reference}, tool=tool)).findings
        assert (found.rule_id, found.severity) == ("js/sqli", "critical")


def test_what_a_scanner_is_told_to_suppress_is_not_mended(house: FindingsHouse) -> None:
    def read(*results: Any) -> Scan:
        house.clock.advance(1)
        wish = NewScan("sarif", report(*results), "代码", house.clock.now())
        return house.services.scans.import_scan(ANALYST, wish)[0]

    read(result())
    made = house.services.tasks.make_scan_tasks(ANALYST, "this", "sun").made
    house.proved(made[0])
    accepted = {"kind": "inSource"}
    assert read(result(suppressions=[accepted])).gone == 0
    assert house.services.rechecks.recheck_task(ANALYST, made[0].id).outcome == "failed"
    mixed = [accepted, {"kind": "external", "status": "underReview"}]
    assert read(result(suppressions=mixed)).findings == 1


def test_another_scanner_makes_nothing_gone(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    house.clock.advance(1)
    wish = NewScan("sarif", report(), "内网", house.clock.now())
    with pytest.raises(OtherScanner):
        house.services.scans.import_scan(ANALYST, wish)
    assert listed(house) == [("CVE-2024-6387", "open")]
    assert house.refused() == ["audits.import_scan"]


def test_a_scan_dated_ahead_does_not_come_after_the_proof(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    made = house.services.tasks.make_scan_tasks(ANALYST, "this", "sun").made
    house.clock.advance(1)
    ahead = NewScan("csv", table(), "内网", house.clock.now() + 30 * MINUTE)
    house.services.scans.import_scan(ANALYST, ahead)
    house.proved(made[0])
    assert house.services.rechecks.recheck_task(ANALYST, made[0].id).outcome == "undecided"


def test_findings_of_several_scopes_are_all_listed_page_by_page(house: FindingsHouse) -> None:
    at = house.clock.now()
    for scope in ("甲", "乙", "丙"):
        wish = NewScan("csv", table(OPENSSH), scope, at)
        house.services.scans.import_scan(ANALYST, wish)
    listing = house.services.scans.list_findings
    wanted = partial(listing, AUDITOR, FindingFilter())
    seen = [one.scope for one in every_item(lambda page: wanted(replace(page, limit=1)))]
    assert sorted(seen) == ["丙", "乙", "甲"]


def test_the_gravest_findings_stand_first(house: FindingsHouse) -> None:
    scanned(house, NGINX, OPENSSH, LOG4J)
    parts, stores = house.spine.parts, house.services.scans.desk.stores
    found = parts.transactions.read(lambda tx: stores.findings.standing(tx, AUDITOR.org_id, "this"))
    assert [one.severity for one in found] == ["critical", "high", "low"]


def test_another_organisation_sees_no_finding(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    assert house.services.scans.list_findings(STRANGER, FindingFilter(), PAGE).items == []
    assert house.services.scans.list_scans(STRANGER, PAGE).items == []


def test_a_findings_task_ends_with_a_later_scan_of_its_scope(house: FindingsHouse) -> None:
    scanned(house, OPENSSH, NGINX)
    made = house.services.tasks.make_scan_tasks(ANALYST, "this", "sun").made
    task = next(one for one in made if "CVE-2024-6387" in one.finding_zh)
    assert (task.due_at, task.high_risk, task.object_id) == (
        house.clock.now() + 30 * DAY,
        True,
        "内网",
    )
    proved = house.proved(task)
    recheck = house.services.rechecks.recheck_task
    assert recheck(ANALYST, task.id).outcome == "undecided"
    scanned(house, NGINX, OPENSSH)
    failed = recheck(ANALYST, task.id)
    assert (failed.outcome, failed.task.state) == ("failed", "reopened")
    house.proved(failed.task)
    scanned(house, NGINX)
    closed = recheck(ANALYST, proved.id)
    assert (closed.outcome, closed.task.state) == ("passed", "closed")
    house.clock.advance(1)
    scanned(house, NGINX, OPENSSH)
    again = house.services.tasks.make_scan_tasks(ANALYST, "this", "sun")
    assert [one.id for one in again.reopened] == [task.id]
    with pytest.raises(Invalid, match="not open"):
        house.services.tasks.make_scan_tasks(ANALYST, "this", "sun", ["0" * 64])


def test_scans_tell_assessments_their_age_and_what_is_overdue(house: FindingsHouse) -> None:
    scope = house.services.scans.desk.scopes.scope(AUDITOR, "this")

    def facts(at: int) -> dict[str, Any]:
        found = {one.kind: dict(one.facts) for one in house.rectified(AUDITOR, scope, at)}
        return found.get("vuln.scan", {})

    assert facts(house.clock.now()) == {}
    scan = scanned(house, OPENSSH, NGINX)
    assert facts(scan.scanned_at + 31 * DAY) == {
        "scopes": 1,
        "retired_scopes": 0,
        "age_days": 31,
        "open": 2,
        "severe_open": 1,
        "overdue": 1,
        "severe_overdue": 1,
        "without_task": 2,
        "retired": 0,
        "severe_retired": 0,
    }
    house.services.tasks.make_scan_tasks(ANALYST, "this", "sun")
    assert facts(scan.scanned_at)["without_task"] == 0


def test_severe_findings_fill_the_register(house: FindingsHouse) -> None:
    scanned(house, OPENSSH, NGINX, LOG4J)
    added = house.services.filling.fill_risks(ANALYST).added
    assert sorted((risk.source, risk.level, risk.asset_name) for risk in added) == [
        ("scan", 4, "10.0.0.5"),
        ("scan", 5, "10.0.0.7"),
    ]
