"""SigmaHQ's 202 regression tests through the shell: one call over all their files."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.corpus, pytest.mark.service]

ROOT = Path(__file__).resolve().parents[2]


def unpacked(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def cases(folder: Path) -> list[tuple[frozenset[str], Path, int]]:
    """The rules that a test is about, its file, and how many matches it promises at least."""
    found = []
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.evtx")}
    for info in sorted(folder.rglob("info.yml")):
        about: dict[str, Any] = yaml.safe_load(info.read_bytes())
        rules = frozenset(str(entry["id"]) for entry in about["rule_metadata"])
        for case in about.get("regression_tests_info", ()):
            end = case["path"].removeprefix("regression_data/")
            (path,) = (file for name, file in files.items() if name.endswith(end))
            found.append((rules, path, case.get("match_count", 1)))
    return found


def asked_rules(source: Path, wanted: frozenset[str], folder: Path) -> int:
    """Copy the rule files with one of ``wanted`` ids, so that no other is compiled."""
    folder.mkdir()
    count = 0
    for path in source.rglob("*.yml"):
        text = path.read_text("utf-8")
        if any(identifier in text for identifier in wanted) and "\nid: " in text:
            (folder / f"{count:04d}-{path.name}").write_text(text, "utf-8")
            count += 1
    return count


def test_all_regression_tests_pass_through_the_shell(corpus: Path, tmp_path: Path) -> None:
    data = corpus / "detection"
    tests = cases(unpacked(data / "sigmahq_regression_202.tar.xz", tmp_path / "cases"))
    rules = unpacked(data / "sigmahq_rules_2026-08-05.tar.xz", tmp_path / "all")
    wanted = frozenset[str]().union(*(each for each, _, _ in tests))
    assert asked_rules(rules, wanted, tmp_path / "rules") >= len(wanted)
    shell = [sys.executable, "-m", "secops", "--home", str(tmp_path / "home")]
    scan = ["detectors", "scan-files", "--rules", str(tmp_path / "rules"), "--json"]
    ran = subprocess.run(
        [*shell, *scan, str(tmp_path / "cases")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    hits: Counter[tuple[str, str]] = Counter()
    for line in ran.stdout.splitlines():
        hit = json.loads(line)
        hits[hit["rule_id"], hit["record"]["file"]] += 1
    failed = []
    for rules_of, path, least in tests:
        count = sum(hits[rule_id, str(path)] for rule_id in rules_of)
        if count < least:
            failed.append((path.name, count, least))
    print(f"regression through the shell: {len(tests) - len(failed)} of {len(tests)}")
    assert (len(tests), failed) == (202, [])
