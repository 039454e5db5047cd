"""The commands over files, and the commands over a home."""

from __future__ import annotations

import gzip
import json
import lzma
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from detectors.commands.alerts import COMMANDS
from detectors.commands.bench import figures
from detectors.commands.bench_correlations import Loads
from detectors.commands.detectors import group
from detectors.service import DetectorsServices
from secops.adapters.cache_file import CacheFile
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, Invalid, NotFound, SecopsError, Unavailable
from secops.kernel.parts import Parts
from secops.terminal.session import Session
from tests.fakes.detection_house import (
    ANALYST,
    RULES,
    SECURITY_ADMIN,
    DetectionHouse,
    detection_house,
    own_rule,
    own_rules,
)
from tests.functional.test_detector_runs import ROOT_LOGIN, drain, failure

ACTORS = {"analyst": ANALYST, "security-admin": SECURITY_ADMIN}


@dataclass
class Opened:
    house: DetectionHouse

    @property
    def parts(self) -> Parts:
        return self.house.spine.parts

    @property
    def services(self) -> Sequence[object]:
        house = self.house
        missing: dict[str, Any] = {field.name: None for field in fields(DetectorsServices)}
        kept = {
            "rules": house.rules,
            "runs": house.runs,
            "alerts": house.alerts,
            "reports": house.reports,
            "alert_pages": house.pages,
            "replays": house.replays,
        }
        return (DetectorsServices(**{**missing, **kept}),)

    def act_as(self, account: str | None) -> Actor:
        return ACTORS[account or "analyst"]

    def close(self) -> None:
        return


Run = Callable[..., Result]


def invoke(
    home: Path, arguments: Sequence[str], actor: str = "analyst", house: object = None
) -> Result:
    def open_house(_: Path) -> Opened:
        assert isinstance(house, DetectionHouse), "this command needs no home"
        return Opened(house)

    return CliRunner().invoke(
        group, list(arguments), obj=Session(home, actor, open_house), standalone_mode=False
    )


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Result]:
    return lambda *arguments: invoke(tmp_path / "home", arguments)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[DetectionHouse]:
    with detection_house(tmp_path, own_rules("ssh_brute_force", "ssh_root_sign_in")) as opened:
        opened.store([*(failure(second) for second in range(6)), ROOT_LOGIN])
        yield opened


@pytest.fixture
def run(house: DetectionHouse, tmp_path: Path) -> Run:
    def invoked(*arguments: str, actor: str = "analyst") -> Result:
        result = invoke(tmp_path, arguments, actor, house)
        if result.exception is not None:
            raise result.exception
        return result

    return invoked


RULE = RULES / "windows" / "windows_log_cleared.yml"
SAMPLE = RULES / "windows" / "samples" / "windows_log_cleared" / "positive.jsonl"


def lines(result: Result) -> list[dict[str, object]]:
    assert result.exception is None, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_scan_files_names_rule_event_and_place(
    files: Callable[..., Result], tmp_path: Path
) -> None:
    result = files("scan-files", "--rules", str(RULE), "--json", str(SAMPLE))
    found = lines(result)
    assert [entry["rule_title"] for entry in found] == ["A Windows event log was cleared"] * 2
    assert [entry["record"] for entry in found] == [
        {"file": str(SAMPLE), "index": n} for n in (0, 1)
    ]
    assert all(len(str(entry["event_id"])) == 64 for entry in found)
    last = result.stderr.splitlines()[-1]
    assert re.match(r"events 2 rules \d+ hits 2 unreadable 0 CPU seconds ", last)
    assert (tmp_path / "home" / "cache" / "rules.json").is_file()
    again = files("scan-files", "--rules", str(RULE), "--json", str(SAMPLE))
    assert lines(again) == found


@pytest.mark.parametrize("kind", ["gz", "xz", "zip"])
def test_packed_files_give_the_same_hits(
    files: Callable[..., Result], tmp_path: Path, kind: str
) -> None:
    packed = tmp_path / f"positive.jsonl.{kind}"
    content = SAMPLE.read_bytes()
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("inner/", b"")
            archive.writestr("inner/positive.jsonl", content)
    else:
        packed.write_bytes(gzip.compress(content) if kind == "gz" else lzma.compress(content))
    found = lines(files("scan-files", "--rules", str(RULE), "--json", str(packed)))
    assert len(found) == 2


def test_log_lines_are_scanned_too_and_a_folder_is_taken_whole(
    files: Callable[..., Result], tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / ".hidden").write_text("x")
    (logs / "auth.log").write_text(f"{failure(1)}\r\n\nnonsense\n{ROOT_LOGIN}\n")
    (logs / "broken.jsonl").write_bytes(b'{"Event":{"System":\n{"a":1}\n')
    result = files("scan-files", "--rules", str(RULES), str(logs))
    assert result.exception is None
    assert "Somebody signed in as root over SSH" in result.stdout
    assert "unreadable" in result.stderr


def test_a_bad_rule_is_named_and_skipped_and_nothing_readable_is_an_error(
    files: Callable[..., Result], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text(
        "title: t\nlogsource: {product: windows}\ndetection: {s: {A|foo: 1}, condition: s}\n"
    )
    result = files("scan-files", "--rules", str(RULES), "--rules", str(bad), str(SAMPLE))
    assert result.exception is None
    assert f"skipped {bad}:3: Unknown modifier 'foo'" in result.stderr
    assert isinstance(files("scan-files", "--rules", str(bad), str(SAMPLE)).exception, Invalid)
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"\n")
    assert isinstance(files("scan-files", "--rules", str(RULES), str(empty)).exception, Invalid)


def test_a_rule_given_twice_is_named(files: Callable[..., Result], tmp_path: Path) -> None:
    copy = tmp_path / "copy.yml"
    copy.write_bytes(own_rule("ssh_root_sign_in").read_bytes())
    result = files("check-rules", str(own_rule("ssh_root_sign_in")), str(copy))
    assert "is already taken by" in result.stderr
    assert result.return_value == 1


def test_check_rules_passes_our_own_and_tells_bad_samples(
    files: Callable[..., Result], tmp_path: Path
) -> None:
    good = files("check-rules", "--json", str(RULES))
    report = json.loads(good.stdout)
    assert good.return_value == 0
    assert (report["good"], report["problems"]) == (True, [])
    assert report["rules"] >= 14
    assert report["correlations"] >= 7
    assert report["samples"] >= 28
    rule = tmp_path / "ssh_root_sign_in.yml"
    rule.write_bytes(own_rule("ssh_root_sign_in").read_bytes())
    samples = tmp_path / "samples" / "ssh_root_sign_in"
    samples.mkdir(parents=True)
    (samples / "positive.log").write_text(failure(1) + "\n")
    (samples / "negative.log").write_text(ROOT_LOGIN + "\n\nnonsense\n")
    (samples / "readme.txt").write_text("not a sample")
    wrong = files("check-rules", str(rule))
    assert wrong.return_value == 1
    assert "finds nothing in its positive sample" in wrong.stderr
    assert "fires on its negative sample" in wrong.stderr
    assert "unreadable sample" in wrong.stderr
    (samples / "positive.log").write_bytes(b"\x00\x01")
    assert "its format is unknown" in files("check-rules", str(rule)).stderr
    assert isinstance(files("check-rules", str(samples)).exception, Invalid)


def test_every_own_rule_has_samples_and_names_its_clauses() -> None:
    from detectors.commands.files import rule_files, samples_of  # noqa: PLC0415 - only here
    from detectors.core.detection import detectors_of  # noqa: PLC0415 - only here
    from detectors.service.rules.rule_files import compile_rules  # noqa: PLC0415 - only here

    detectors, problems = detectors_of(compile_rules(rule_files([RULES])))
    assert problems == ()
    assert len(detectors) >= 12
    for detector in detectors:
        header = detector.header
        assert {sample.wanted for sample in samples_of(header.path)} == {"positive", "negative"}
        assert set(header.custom) >= {"title_zh", "gbt20986", "gbt22239"}, header.title
        assert any(tag.startswith("attack.t1") for tag in header.tags), header.title


def test_a_home_that_cannot_be_written_has_no_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    cache = CacheFile(blocked, "rules")
    cache.save(b"x")
    assert cache.load() is None


def test_a_run_answers_in_the_documented_shape(run: Run) -> None:
    document = json.loads(run("run", "--json").stdout)
    assert document["evaluated"] == {"rules": 2, "events": 7}
    assert {alert["title"] for alert in document["alerts"]} == {
        "SSH password guessing from one address",
        "Somebody signed in as root over SSH",
    }
    late = json.loads(run("run", "--since", "2025-11-22T02:00:00Z", "--json").stdout)
    assert [alert["rule_id"] for alert in late["alerts"]] == [
        alert["rule_id"] for alert in document["alerts"] if "root" in alert["title"]
    ]
    early = json.loads(run("run", "--until", "2025-11-22T01:30:00Z", "--json").stdout)
    assert [alert["kind"] for alert in early["alerts"]] == ["correlation"]
    foreign = json.loads(run("run", "--rules", str(RULES), "--json").stdout)
    assert foreign["evaluated"]["rules"] >= 14
    assert "alerts 2 new 0" in run("run").stderr
    with pytest.raises(Invalid):
        run("run", "--since", "yesterday")
    with pytest.raises(Forbidden):
        run("run", actor="security-admin")


def test_rules_that_cannot_be_read_are_an_error_of_run(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("title: t\n")
    with pytest.raises(SecopsError, match="No rule could be read"):
        run("run", "--rules", str(bad))


def test_triage_on_the_command_line(run: Run, house: DetectionHouse) -> None:
    drain(house)
    page = json.loads(run("list-alerts", "--status", "open", "--limit", "1", "--json").stdout)
    (first,) = page["items"]
    assert page["next"] is not None
    rest = json.loads(run("list-alerts", "--cursor", page["next"], "--json").stdout)
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert "--cursor" in run("list-alerts", "--limit", "1").stderr
    shown = json.loads(run("show-alert", first["id"], "--json").stdout)
    assert [line["raw"] for line in shown["lines"]] == [ROOT_LOGIN]
    assert shown["reasons"][0]["seen"]
    told = run("show-alert", first["id"]).stdout
    assert "Accepted publickey for root" in told
    assert "Account root from 198.51.100.9 on host web set off" in told
    assert shown["lines"][0]["sha256"] in told
    replayed = json.loads(run("replay-alert", first["id"], "--json").stdout)
    assert (replayed["answer"], replayed["hits"]) == ("matches", 1)
    assert "matches" in run("replay-alert", first["id"]).stdout
    assert first["id"] in run("close-alert", first["id"], "--reason", "planned").stderr
    with pytest.raises(NotFound):
        run("show-alert", "alr_nothing")


def test_rules_on_the_command_line(run: Run, house: DetectionHouse) -> None:
    rules = json.loads(run("list-rules", "--json").stdout)["items"]
    assert [rule["enabled"] for rule in rules] == [True, True]
    rule_id = rules[0]["id"]
    waiting = json.loads(run("list-unscanned", "--json").stdout)["items"]
    assert {entry["rule_id"] for entry in waiting} == {rule["id"] for rule in rules}
    assert "Not seen yet" in run("list-unscanned").stdout
    with pytest.raises(Forbidden):
        run("enable-rule", rule_id)
    assert (
        "disabled" in run("disable-rule", rule_id, "--reason", "x", actor="security-admin").stderr
    )
    assert "enabled" in run("enable-rule", rule_id, actor="security-admin").stderr
    assert "Rules" in run("list-rules").stdout


def test_every_command_shows_an_example() -> None:
    assert [command.name for command in COMMANDS if "Example:" not in (command.help or "")] == []


def test_the_bench_measures_without_a_corpus(tmp_path: Path) -> None:
    small = Loads(lines=1_000, hits=10_000, hostile=500)
    found = {figure["name"]: figure for figure in figures(tmp_path, tmp_path, small)}
    for name in ("events through the own rules", "live events with detection"):
        assert found[name]["unit"] == "1/CPU-s"
        assert found[name]["value"] > 0


def test_a_busy_home_is_said(house: DetectionHouse, run: Run) -> None:
    from detectors.service.runs.runs import LEASE, PATIENCE  # noqa: PLC0415 - only here

    lease = house.spine.parts.leases.acquire(LEASE, "another", 60)
    assert lease is not None
    instants = iter([0.0, PATIENCE + 1])
    object.__setattr__(house.clock, "monotonic", lambda: next(instants))
    with pytest.raises(Unavailable):
        run("run")
