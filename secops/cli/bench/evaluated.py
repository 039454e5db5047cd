"""Many real events under SigmaHQ's rules: stored first, and straight from JSON Lines."""

from __future__ import annotations

import lzma
import re
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

from secops.cli.bench.batch import EVENTS, RULES, Run, run_command
from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.served import demo_home
from secops.settings import corpus_folder

_RECORD: Final = re.compile(rb'"EventRecordID":(\d+)')
_STORED_BAR: Final = Bar("<=", 5)
_RAW_BAR: Final = Bar("<=", 12)
_MILLION: Final = 1_000_000


def evaluated_figures(events: int) -> list[dict[str, Any]]:
    """Return what ``events`` Windows events cost under SigmaHQ's rules; needs the corpus.

    The corpus is repeated with other record numbers. The bars are for a million events; other
    numbers are judged in proportion.
    """
    corpus = corpus_folder()
    if corpus is None:
        missing = "the corpus is not there: set SECOPS_CORPUS to its folder"
        return [figure("stored events x rules", 0, "s", missing)]
    with demo_home() as home, tempfile.TemporaryDirectory(prefix="secops-bench-") as name:
        folder = Path(name)
        with tarfile.open(corpus / "detection" / RULES) as archive:
            archive.extractall(folder / "rules", filter="data")
        file = folder / "events.jsonl"
        _repeat(corpus / "detection" / EVENTS, file, events)
        rules = ("--rules", str(folder / "rules"))
        scan = ("detectors", "scan-files", *rules, "--json", str(file))
        run_command(home, scan, folder)  # compiles the rules
        raw = run_command(home, scan, folder)
        analyst = ("--as", "analyst")
        run_command(home, (*analyst, "logs", "ingest", "--format", "jsonl", str(file)), folder)
        stored = run_command(home, (*analyst, "detectors", "run", *rules, "--json"), folder)
    return [
        _figure("stored events x rules", stored, events, _STORED_BAR),
        _figure("raw JSONL x rules", raw, events, _RAW_BAR),
    ]


def _figure(name: str, run: Run, events: int, bar: Bar) -> dict[str, Any]:
    what = f"{events} events x SigmaHQ's rules, whole command, alerts written where stored"
    return figure(
        name,
        run.wall,
        "s",
        f"{what}; {run.cpu:.1f} CPU-s, {run.rss:.0f} MB; per million {_scaled(run, events):.1f} s",
        per_cpu_second=events / run.cpu,
        bar=bar,
        judged=_scaled(run, events),
    )


def _scaled(run: Run, events: int) -> float:
    return run.wall * _MILLION / events


def _repeat(packed: Path, file: Path, events: int) -> None:
    """Write ``events`` lines, each with a record number of its own."""
    with lzma.open(packed) as source:
        lines = source.read().splitlines(keepends=True)
    with file.open("wb") as target:
        for number in range(events):
            line = lines[number % len(lines)]
            target.write(_RECORD.sub(b'"EventRecordID":%d' % (number + 1), line, count=1))
