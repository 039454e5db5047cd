"""Commands over files and a home, each a process whose CPU time and memory the kernel counts."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.served import SECOPS, demo_home
from secops.kernel.errors import Unavailable
from secops.settings import bare_environment, corpus_folder

EVENTS: Final = "hayabusa-sample-evtx.24661.jsonl.xz"
RULES: Final = "sigmahq_rules_2026-08-05.tar.xz"
_EVENT_COUNT: Final = 24_661
_LINES: Final = 50_000
_CPU_BAR: Final = Bar("<=", 1)
_RSS_BAR: Final = Bar("<=", 150)
_LINE: Final = (
    '10.0.{}.{} - - [21/Nov/2026:10:{:02}:{:02} +0800] "GET /service/{} HTTP/1.1" 200 {} "-" "x"\n'
)


@dataclass(frozen=True, slots=True)
class Run:
    """One command: wall and CPU seconds, largest resident memory in MB (10^6 bytes)."""

    wall: float
    cpu: float
    rss: float
    errors: str


def run_command(home: Path, words: Sequence[str], folder: Path) -> Run:
    """Run ``secops WORDS`` on ``home``, output into ``folder``; raise ``Unavailable``."""
    environment = bare_environment()
    begun = time.perf_counter()
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(  # noqa: S603 - our own command
            (*SECOPS, "--home", str(home), *words), stdout=out, stderr=err, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    errors = (folder / "err").read_text(errors="replace")
    if process.returncode:
        raise Unavailable(f"{' '.join(words[:2])} ended with {process.returncode}: {errors[-300:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, errors)


def sigma_figures() -> list[dict[str, Any]]:
    """Return what SigmaHQ's rules over 24,661 real events cost; needs the corpus."""
    corpus = corpus_folder()
    if corpus is None:
        missing = "the corpus is not there: set SECOPS_CORPUS to its folder"
        return [figure("sigma scan", 0, "CPU-s", missing)]
    with tempfile.TemporaryDirectory(prefix="secops-bench-") as name:
        folder = Path(name)
        with tarfile.open(corpus / "detection" / RULES) as archive:
            archive.extractall(folder / "rules", filter="data")
        rules = [str(one) for one in sorted((folder / "rules").glob("**/rules*")) if one.is_dir()]
        chosen = [word for one in _outermost(rules) for word in ("--rules", one)]
        events = str(corpus / "detection" / EVENTS)
        words = ("detectors", "scan-files", *chosen, "--json", events)
        first, _, second = (run_command(folder / "home", words, folder) for _ in range(3))
    said = second.errors.strip().splitlines()[-1]
    return [
        figure(
            f"sigma scan {label}",
            run.cpu,
            "CPU-s",
            f"{_EVENT_COUNT} events x SigmaHQ's rules, whole command with start; {note}; {said}",
            per_cpu_second=_EVENT_COUNT / run.cpu,
            bar=_CPU_BAR,
        )
        for label, run, note in (
            ("first run", first, "rules compiled anew"),
            ("later run", second, "program of the rules from the home's cache"),
        )
    ] + [figure("sigma scan memory", second.rss, "MB", "largest resident size", bar=_RSS_BAR)]


def _outermost(folders: Sequence[str]) -> list[str]:
    return [one for one in folders if not any(one.startswith(f"{other}/") for other in folders)]


def log_figures() -> list[dict[str, Any]]:
    """Return what storing, searching and detecting over nginx lines costs."""
    with demo_home() as home, tempfile.TemporaryDirectory(prefix="secops-bench-") as name:
        folder = Path(name)
        file = folder / "nginx_access.log"
        with file.open("w") as stream:
            stream.writelines(_line(number) for number in range(_LINES))
        size = file.stat().st_size
        what = f"{_LINES} nginx lines, {size / 1e6:.1f} MB, segments, whole command with start"
        analyst = ("--as", "analyst")
        stored = run_command(home, (*analyst, "logs", "ingest", str(file)), folder)
        searched = run_command(
            home, (*analyst, "logs", "search", "source.ip:10.0.3.0/24", "--json"), folder
        )
        detected = run_command(home, (*analyst, "detectors", "run", "--json"), folder)
    return [
        _rate("logs ingest", stored, what),
        _rate("detectors run", detected, f"{what}; the packaged rules"),
        figure(
            "logs search",
            searched.wall,
            "s",
            f"a network among {_LINES} stored, CPU {searched.cpu:.2f} s",
        ),
    ]


def _line(number: int) -> str:
    return _LINE.format(
        number // 250 % 250, number % 250, number // 60 % 60, number % 60, number % 97, number
    )


def _rate(name: str, run: Run, what: str) -> dict[str, Any]:
    return figure(
        name,
        _LINES / run.wall,
        "events/s",
        f"{what}; {run.wall:.1f} s, {run.cpu:.1f} CPU-s, {run.rss:.0f} MB",
        per_cpu_second=_LINES / run.cpu,
    )


def assessment_figures() -> list[dict[str, Any]]:
    """Return what an assessment and its signed report cost."""
    with demo_home() as home, tempfile.TemporaryDirectory(prefix="secops-bench-") as name:
        folder = Path(name)
        auditor = ("--as", "auditor", "audits")
        level = ("--standard", "gbt22239", "--level", "3")
        assessed = run_command(home, (*auditor, "assess", *level, "--json"), folder)
        report = (*auditor, "export-report", *level, "--format", "html", "-o", str(folder / "r"))
        exported = run_command(home, report, folder)
    return [
        figure(name, run.wall, "s", f"{what}, whole command with start, {run.cpu:.2f} CPU-s")
        for name, run, what in (
            ("assess gbt22239 level 3", assessed, "a demo home"),
            ("export-report html", exported, "a new assessment, signed, with proof"),
        )
    ]
