"""Scanning reads every kind of file within bounds, in a stable order, over any number of cores."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from detectors.commands.files import rules_stamp
from detectors.commands.workers import ForkedWorkers, WorkerDied, worth_processes
from detectors.core.events.identity import LineCounter, event_id
from detectors.models.rules import RuleFile
from detectors.service.rules.rule_files import compile_rules
from detectors.service.runs.scan import (
    BadRecord,
    Here,
    Hit,
    Scanner,
    ScanRules,
    Source,
    Work,
    Workers,
    cached_rules,
)
from detectors.service.runs.scan import blocks as blocks_module
from detectors.service.runs.scan.found import Found
from secops.adapters.cache_file import CacheFile
from secops.kernel.clock import SECOND

NOW = 1_790_000_000_000_000
RULE = b"""title: one
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows, service: security}
detection: {s: {A: x}, condition: s}
---
title: two
id: 22222222-2222-4222-8222-222222222222
logsource: {product: windows, service: security}
detection: {s: {A|contains: x}, k: [needle], condition: 1 of them}
"""
RULES = compile_rules([RuleFile("rules/r.yml", RULE)])


def record(number: int, value: str = "x") -> dict[str, object]:
    system = {"Channel": "Security", "EventID": 1, "EventRecordID": number}
    return {"Event": {"System": system, "EventData": {"A": value}}}


def line(number: int, value: str = "x") -> bytes:
    return json.dumps(record(number, value), separators=(",", ":")).encode()


def scan(
    files: dict[str, bytes], workers: Workers | None = None
) -> tuple[list[Hit], list[BadRecord], Scanner]:
    bad: list[BadRecord] = []
    scanner = Scanner(RULES, NOW, bad.append)

    def opener(content: bytes) -> Callable[[], io.BytesIO]:
        return lambda: io.BytesIO(content)

    sources = [Source(name, name, opener(content)) for name, content in files.items()]
    return list(scanner.scan_all(sources, workers or Here())), bad, scanner


LINES = b"\n".join([line(0), line(1, "y"), line(2, "a needle"), line(0)])


def places(hits: list[Hit]) -> list[tuple[str, int, str]]:
    return [(hit.file, hit.index, hit.rule.title) for hit in hits]


EXPECTED = [(0, "one"), (0, "two"), (2, "two"), (3, "one"), (3, "two")]


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (LINES, "f"),
        (LINES.replace(b"\n", b"\r\n") + b"\r\n", "f"),
        (b"\xef\xbb\xbf" + LINES, "f"),
        (LINES.decode().encode("utf-16"), "f"),
        (b"[" + LINES.replace(b"\n", b",") + b"]", "f"),
        (json.dumps([json.loads(each) for each in LINES.split(b"\n")], indent=1).encode(), "f"),
        (gzip.compress(LINES), "f"),
        (lzma.compress(LINES), "f"),
        (gzip.compress(b" [\n" + LINES.replace(b"\n", b" , ") + b"\n]\n"), "f"),
        (zipped({"a/": b"", "a/b.jsonl": LINES}), "f!a/b.jsonl"),
    ],
)
def test_every_kind_of_file_gives_the_same_records(content: bytes, name: str) -> None:
    hits, bad, scanner = scan({"f": content})
    assert bad == []
    assert places(hits) == [(name, index, title) for index, title in EXPECTED]
    assert (scanner.counts.events, scanner.counts.hits) == (4, 5)


def test_ids_are_those_that_ingest_would_give_to_equal_lines_too() -> None:
    hits, _, _ = scan({"f": LINES})
    counter = LineCounter()
    wanted = {
        n: event_id("f", raw, counter.number(raw)) for n, raw in enumerate(LINES.split(b"\n"))
    }
    assert {hit.index: hit.event_id for hit in hits} == {n: wanted[n] for n in (0, 2, 3)}
    assert wanted[0] != wanted[3]


def test_equal_lines_are_counted_over_blocks_and_hits_keep_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = b"\n".join(line(n % 7, "xyz"[n % 3]) for n in range(500))
    whole, _, _ = scan({"f": content})
    monkeypatch.setattr(blocks_module, "_BLOCK", 2_000)
    monkeypatch.setattr(blocks_module, "_CHUNK", 700)
    pieces, bad, scanner = scan({"f": content})
    assert (pieces, bad, scanner.counts.events) == (whole, [], 500)


@pytest.mark.parametrize("count", [1, 3])
def test_processes_give_what_one_process_gives(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(blocks_module, "_BLOCK", 2_000)
    monkeypatch.setattr(blocks_module, "_CHUNK", 700)
    content = b"\n".join(line(n % 7, "xyz"[n % 3]) for n in range(300))
    files = {"b": content, "a": content + b"\n{\n", "c": gzip.compress(content)[:-20], "d": LINES}
    alone, bad_alone, scanner = scan(files)
    together, bad_together, other = scan(files, ForkedWorkers(count))
    assert together == alone
    assert bad_together == bad_alone
    assert other.counts == scanner.counts
    assert {each.file for each in bad_alone} == {"a", "c"}


def test_a_process_that_fails_or_dies_is_said_and_never_a_hole_in_the_answer() -> None:
    def broken(_: Work) -> bytes:
        msg = "boom"
        raise ValueError(msg)

    with pytest.raises(WorkerDied, match="ValueError: boom"):
        list(ForkedWorkers(2).map(broken, [(b"", b"")]))
    with pytest.raises(WorkerDied, match="before it answered"):
        list(ForkedWorkers(2).map(lambda _: os._exit(1), [(b"", b"")] * 5))

    def inputs() -> Iterator[Work]:
        yield b"a", b"1"
        msg = "the file is gone"
        raise KeyError(msg)

    answers = ForkedWorkers(2).map(lambda work: work[1] * 2, inputs())
    with pytest.raises(KeyError):
        list(answers)


def test_small_inputs_do_not_pay_for_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectors.commands.workers.cores", lambda: 2)
    assert not worth_processes([("a.jsonl", 30 << 20), ("b.xz", 1 << 20)])
    assert worth_processes([("a.jsonl", 40 << 20), ("b.xz", 3 << 20)])
    monkeypatch.setattr("detectors.commands.workers.cores", lambda: 1)
    assert not worth_processes([("a.jsonl", 1 << 40)])


def test_what_a_process_found_survives_the_way_back() -> None:
    answers = list(Here().map(lambda work: work[0] + work[1], [(b"a", b"b")]))
    assert answers == [b"ab"]
    found = Found(records=3, hits=[(1, 2)], raws={1: b"raw"}, bad=[(0, "why")], failed={4: "slow"})
    again = Found.decoded(found.encoded())
    assert (again.records, again.hits, again.raws) == (3, [(1, 2)], {1: b"raw"})
    assert (again.bad, again.failed, again.batches) == ([(0, "why")], {4: "slow"}, [])


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, lambda c: zipped({"m": c})])
def test_a_bomb_is_stopped_and_named(
    monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(blocks_module, "_FREE", 1 << 20)
    content = LINES + b"\n" + b" " * (40 << 20)
    hits, bad, _ = scan({"bomb": pack(content), "good": LINES})
    assert [each.why for each in bad if "times its size" in each.why] == [
        "the archive holds more than 500 times its size"
    ]
    assert [hit.index for hit in hits if hit.file == "good"] == [0, 0, 2, 3, 3]


def test_an_archive_with_too_many_members_is_read_to_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks_module, "MAX_MEMBERS", 2)
    hits, bad, _ = scan({"z": zipped({f"{n}": LINES for n in range(4)})})
    assert {hit.file for hit in hits} == {"z!0", "z!1"}
    assert "more than 2 members" in bad[0].why


@pytest.mark.parametrize(
    ("content", "events", "why"),
    [
        (b"[" + line(0) + b", {bad", 1, "after 1 elements"),
        (b"[" + line(0), 1, "after 1 elements"),
        (b"[]", 0, ""),
        (b"[1, null, " + line(0) + b"]", 1, "not_json"),
        (b"[" * 200_000, 0, "after 0 elements"),
        (gzip.compress(LINES)[:40], 0, "damaged archive"),
        (lzma.compress(LINES)[:-30], 0, "damaged archive"),
    ],
)
def test_what_is_damaged_is_named_and_what_stands_before_it_is_read(
    content: bytes, events: int, why: str
) -> None:
    _, bad, scanner = scan({"f": content})
    assert scanner.counts.events == events
    assert bool(bad) == bool(why)
    assert all(why in each.why for each in bad)


@pytest.mark.corpus
def test_of_a_damaged_event_log_the_rest_is_read_and_the_damage_named(corpus: Path) -> None:
    path = max((corpus / "detection" / "evtx_raw").glob("*.evtx"), key=lambda p: p.stat().st_size)
    whole = path.read_bytes()
    _, bad, scanner = scan({"w.evtx": whole})
    assert bad == []
    total = scanner.counts.events
    for seed in range(6):
        at = int.from_bytes(hashlib.sha256(bytes([seed])).digest()[:4], "big") % len(whole)
        at = max(at, 5_000)
        damaged = whole[:at] + bytes(3_000) + whole[at + 3_000 :]
        hits, bad, scanner = scan({"d.evtx": damaged, "g": LINES})
        assert scanner.counts.events <= total + 4
        assert [hit.index for hit in hits if hit.file == "g"] == [0, 0, 2, 3, 3]
    _, bad, scanner = scan({"c.evtx": whole[: len(whole) * 2 // 3]})
    assert scanner.counts.events > 0
    assert bad


class _Kept:
    def __init__(self) -> None:
        self.content: bytes | None = None

    def load(self) -> bytes | None:
        return self.content

    def save(self, content: bytes) -> None:
        self.content = content


def test_compiled_rules_are_kept_under_their_stamp_and_only_then() -> None:
    cache, made = _Kept(), []

    def make() -> object:
        made.append(1)
        return RULES

    first = cached_rules(b"s1", cache, make)  # type: ignore[arg-type]
    again = cached_rules(b"s1", cache, make)  # type: ignore[arg-type]
    assert again == first
    assert (len(made), again.briefs[0].title) == (1, "one")
    cached_rules(b"s2", cache, make)  # type: ignore[arg-type]
    cached_rules(None, cache, make)  # type: ignore[arg-type]
    assert len(made) == 3
    for rubbish in (b"s2\n{", b"s2\n[]", b"s2\n{}", b'{"s2": 1}'):
        cache.content = rubbish
        assert cached_rules(b"s2", cache, make) == first  # type: ignore[arg-type]
    assert ScanRules.decoded(first.encoded()) == first


def test_the_stamp_changes_with_every_file_and_waits_for_the_clock(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    (folder / "samples").mkdir(parents=True)
    (folder / "a.yml").write_bytes(RULE)
    later = 4_000_000_000 * SECOND
    assert rules_stamp([folder], (folder / "a.yml").stat().st_mtime_ns // 1_000) is None
    stamps = [rules_stamp([folder], later)]
    (folder / "samples" / "x.yml").write_bytes(b"")
    (folder / "readme.md").write_bytes(b"")
    (folder / ".hidden.yml").write_bytes(b"")
    assert rules_stamp([folder], later) == stamps[0]
    (folder / "a.yml").write_bytes(RULE + b"\n")
    stamps.append(rules_stamp([folder], later))
    os.utime(folder / "a.yml", (1, 1))
    stamps.append(rules_stamp([folder], later))
    (folder / "b.yaml").write_bytes(RULE)
    stamps.append(rules_stamp([folder], later))
    stamps.append(rules_stamp([folder / "b.yaml"], later))
    assert len(set(stamps)) == len(stamps)
    assert CacheFile(tmp_path, "program").load() is None


def test_a_rule_that_is_given_up_is_counted_by_position() -> None:
    class Slow:
        def map(self, function: Callable[[Work], bytes], inputs: Iterable[Work]) -> Iterator[bytes]:
            for _ in inputs:
                yield Found(records=1, failed={1: "TooSlow: x"}).encoded()

    hits, _, scanner = scan({"f": LINES}, Slow())
    assert hits == []
    assert scanner.counts.failed == {1: "TooSlow: x"}
