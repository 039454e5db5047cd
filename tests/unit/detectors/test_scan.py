"""Scanning survives every kind of rubbish, and says what it could not read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.models.rules import RuleFile
from detectors.service.rules.rule_files import compile_rules
from detectors.service.runs.scan import MAX_LINE, BadRecord, Hit, Scanner
from tests.fakes.detection_house import RULES
from tests.functional.test_detector_runs import ROOT_LOGIN

NOW = 1_790_000_000_000_000
OURS = compile_rules(
    [RuleFile(path.name, path.read_bytes()) for path in RULES.rglob("ssh_root_sign_in.yml")]
)


def scan(content: bytes) -> tuple[list[Hit], list[BadRecord], int]:
    bad: list[BadRecord] = []
    scanner = Scanner(OURS, NOW, bad.append)
    hits = list(scanner.scan("f", "f", io.BytesIO(content)))
    return hits, bad, scanner.counts.events


def test_equal_lines_are_events_of_their_own() -> None:
    hits, _, events = scan(f"{ROOT_LOGIN}\n{ROOT_LOGIN}\n".encode())
    assert events == 2
    assert [hit.index for hit in hits] == [0, 1]
    assert len({hit.event_id for hit in hits}) == 2


def test_a_line_of_many_megabytes_is_a_clear_reject_and_the_rest_is_read() -> None:
    content = b"x" * (MAX_LINE + 3 * (1 << 20)) + b"\n" + ROOT_LOGIN.encode() + b"\n"
    hits, bad, events = scan(ROOT_LOGIN.encode() + b"\n" + content)
    assert (len(hits), events) == (2, 2)
    assert bad


def test_a_record_that_is_no_json_is_named_with_its_place() -> None:
    content = b'{"Event":{"System":{"Channel":"Security"}}}\n{"Event":{"System"\n'
    _, bad, events = scan(content)
    assert events == 1
    assert [(record.index, record.why) for record in bad] == [(1, "not_json")]


def test_lines_of_no_known_format_are_all_named() -> None:
    _, bad, events = scan(b"\x00\x01\x02\nrubbish\n")
    assert (events, [record.why for record in bad]) == (0, ["unknown_format"] * 2)


@given(st.binary(max_size=300))
def test_binary_rubbish_never_raises(content: bytes) -> None:
    if (
        content[:4] != b"PK\x03\x04"
        and content[:2] != b"\x1f\x8b"
        and content[:6] != b"\xfd7zXZ\x00"
    ):
        hits, _, _ = scan(content)
        assert hits == []


@given(st.binary(max_size=200))
def test_a_damaged_event_log_never_raises(content: bytes) -> None:
    _, bad, events = scan(b"ElfFile\x00" + content)
    assert events == 0
    assert bad


@pytest.mark.corpus
def test_real_event_logs_are_scanned(corpus: Path) -> None:
    files = sorted((corpus / "detection" / "evtx_raw").glob("*.evtx"))
    assert files
    total = 0
    for path in files:
        _, bad, events = scan(path.read_bytes())
        assert bad == [], path.name
        total += events
    assert total > len(files)
    whole = files[0].read_bytes()
    _, bad, events = scan(whole[:40_000])
    assert bad
    assert events >= 0


@pytest.mark.parametrize(
    "packed", [b"\x1f\x8brubbish", b"\xfd7zXZ\x00rubbish", b"PK\x03\x04rubbish"]
)
def test_a_damaged_archive_is_a_bad_record(packed: bytes) -> None:
    hits, bad, events = scan(packed)
    assert (hits, events) == ([], 0)
    assert len(bad) == 1
