"""How fast rules are asked: CPU-seconds and memory, on SigmaHQ's rules where they lie near."""

from __future__ import annotations

import gc
import io
import lzma
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from detectors.commands.bench_correlations import FULL, Loads
from detectors.commands.bench_correlations import figures as correlation_figures
from secops.adapters.cache_file import CacheFile

if TYPE_CHECKING:
    from detectors.service.runs.scan import Scanner

T = TypeVar("T")

_EVENTS: Final = "hayabusa-sample-evtx.24661.jsonl.xz"
_RULES: Final = "sigmahq_rules_2026-08-05.tar.xz"
_SMALL: Final = 500
_NOW: Final = 1_790_000_000_000_000
CORPUS: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "detection"


def figures(home: Path, corpus: Path = CORPUS, loads: Loads = FULL) -> list[dict[str, Any]]:
    """Return the plane's figures; those on real events only where ``corpus`` lies."""
    found = [*_own_rules(loads.lines), *correlation_figures(loads)]
    if (corpus / _EVENTS).is_file():
        with tempfile.TemporaryDirectory(dir=home if home.is_dir() else None) as folder:
            rules = Path(folder) / "rules"
            with tarfile.open(corpus / _RULES) as archive:
                archive.extractall(rules, filter="data")
            found += _sigma(rules, Path(folder), corpus / _EVENTS)
    return found


def _own_rules(lines: int) -> list[dict[str, Any]]:
    from detectors.models.rules import RuleFile  # noqa: PLC0415 - quick --help
    from detectors.service.rules.rule_files import compile_rules  # noqa: PLC0415
    from detectors.service.runs.scan import Scanner  # noqa: PLC0415

    rules = compile_rules(RuleFile(name, content) for name, content in _packaged())
    scanner = Scanner(rules, _NOW)
    with tempfile.TemporaryFile() as log:
        for number in range(lines):
            log.write(_line(number))
        log.seek(0)
        _, seconds = _measured(lambda: _drain(scanner, "sshd.log", log))
    circumstances = f"{len(rules.rules)} own rules on {lines} sshd lines, parsing included"
    whole = _figure("events through the own rules", lines / seconds, "1/CPU-s", circumstances)
    return [whole, _live(rules)]


def _packaged() -> Iterator[tuple[str, bytes]]:
    waiting = [resources.files("rules") / "sigma"]
    while waiting:
        for entry in waiting.pop().iterdir():
            if entry.is_dir():
                waiting.append(entry)
            elif entry.name.endswith(".yml"):
                yield entry.name, entry.read_bytes()


def _live(rules: Any) -> dict[str, Any]:
    """Parse and match small batches, as they come while a log grows."""
    from detectors.service.runs.scan.live import LiveBatches  # noqa: PLC0415 - quick --help

    live = LiveBatches(rules, "sshd", _NOW)

    def batch(first: int) -> None:
        live.find([_line(number).strip() for number in range(first, first + _SMALL)])

    batch(0)
    count = 20

    def run() -> None:
        for number in range(count):
            batch(number * _SMALL)

    _, seconds = _measured(run)
    what = f"{live.detectors} own detectors, batches of {_SMALL} sshd lines, parsing included"
    return _figure("live events with detection", count * _SMALL / seconds, "1/CPU-s", what)


def _line(number: int) -> bytes:
    address = f"198.51.100.{number % 250}"
    text = f"Failed password for user{number % 997} from {address} port {1024 + number % 60000}"
    stamp = f"Nov 22 {number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
    return f"{stamp} web sshd[{number}]: {text} ssh2\n".encode()


def _sigma(rules: Path, home: Path, events: Path) -> list[dict[str, Any]]:
    from detectors.commands.files import rule_files  # noqa: PLC0415 - quick --help
    from detectors.service.rules.rule_files import compile_rules  # noqa: PLC0415
    from detectors.service.runs.scan import Scanner, ScanRules  # noqa: PLC0415

    files, cache = rule_files([rules]), CacheFile(home, "rules")
    _, cold = _measured(lambda: compile_rules(files, cache))
    compiled, warm = _measured(lambda: compile_rules(files, cache))
    scanner = Scanner(compiled, _NOW)
    _, program = _measured(scanner.prepare)
    kept = ScanRules.of(compiled).encoded()
    _, loaded = _measured(lambda: Scanner(ScanRules.decoded(kept), _NOW).prepare())
    gc.disable()  # as the command does
    with events.open("rb") as stream:
        _, scan = _measured(lambda: _drain(scanner, events.name, stream))
    count = scanner.counts.events
    what = f"{count} events from JSONL.xz, {len(compiled.rules)} rules"
    with lzma.open(events) as stream:
        line = next(each for each in stream if b"CommandLine" in each)
    scanner.prepare()
    gc.enable()
    one = [_measured(lambda: _drain(scanner, "one", io.BytesIO(line)))[1] for _ in range(20)]
    return [
        _figure("rules parsed and compiled", cold, "CPU-s", f"{len(files)} files, no cache"),
        _figure("rules from the cache", warm, "CPU-s", f"{len(files)} files, unchanged"),
        _figure("program of all rules", program, "CPU-s", f"{len(compiled.rules)} rules"),
        _figure("program from the cache", loaded, "CPU-s", f"{len(compiled.rules)} rules"),
        _figure("events x rules", scan, "CPU-s", f"{what}; program built before; bar 1"),
        _figure("one event x rules", sorted(one)[10] * 1_000, "CPU-ms", "median of 20; bar 10"),
        _figure("events through SigmaHQ", count / scan, "1/CPU-s", what),
    ]


def _drain(scanner: Scanner, name: str, stream: Any) -> int:
    return sum(1 for _ in scanner.scan(name, name, stream))


def _measured(work: Callable[[], T]) -> tuple[T, float]:
    started = time.process_time()
    result = work()
    return result, max(time.process_time() - started, 1e-6)


def _figure(name: str, value: float, unit: str, circumstances: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "per_cpu_second": unit.endswith("/CPU-s"),
        "circumstances": circumstances,
    }
