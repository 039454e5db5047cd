"""How fast rules are asked: CPU-seconds and memory, on SigmaHQ's rules where they lie near."""

from __future__ import annotations

import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from detectors.commands.bench_correlations import figures as correlation_figures

if TYPE_CHECKING:
    from detectors.service.scan import Scanner

T = TypeVar("T")

_EVENTS: Final = "hayabusa-sample-evtx.24661.jsonl.xz"
_RULES: Final = "sigmahq_rules_2026-08-05.tar.xz"
_LINES: Final = 50_000
_NOW: Final = 1_790_000_000_000_000
CORPUS: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "detection"


def figures(home: Path, corpus: Path = CORPUS) -> list[dict[str, Any]]:
    """Return the plane's figures; those on real events only where ``corpus`` lies."""
    found = [*_own_rules(), *correlation_figures()]
    if (corpus / _EVENTS).is_file():
        with tempfile.TemporaryDirectory(dir=home if home.is_dir() else None) as folder:
            rules = Path(folder) / "rules"
            with tarfile.open(corpus / _RULES) as archive:
                archive.extractall(rules, filter="data")
            found += _sigma(rules, Path(folder), corpus / _EVENTS)
            found += _whole_command(rules, Path(folder), corpus / _EVENTS)
    return found


def _own_rules() -> list[dict[str, Any]]:
    from detectors.models.rules import RuleFile  # noqa: PLC0415 - quick --help
    from detectors.service.rule_files import compile_rules  # noqa: PLC0415
    from detectors.service.scan import Scanner  # noqa: PLC0415

    packaged = resources.files("rules") / "sigma"
    rules = compile_rules(
        RuleFile(entry.name, entry.read_bytes())
        for entry in packaged.iterdir()
        if entry.name.endswith(".yml")
    )
    scanner = Scanner(rules, _NOW)
    with tempfile.TemporaryFile() as log:
        for number in range(_LINES):
            log.write(_line(number))
        log.seek(0)
        _, seconds = _measured(lambda: _drain(scanner, "sshd.log", log))
    circumstances = f"{len(rules.rules)} own rules on {_LINES} sshd lines, parsing included"
    return [_figure("events through the own rules", _LINES / seconds, "1/CPU-s", circumstances)]


def _line(number: int) -> bytes:
    address = f"198.51.100.{number % 250}"
    text = f"Failed password for user{number % 997} from {address} port {1024 + number % 60000}"
    stamp = f"Nov 22 {number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
    return f"{stamp} web sshd[{number}]: {text} ssh2\n".encode()


def _sigma(rules: Path, home: Path, events: Path) -> list[dict[str, Any]]:
    from detectors.commands.files import CacheFile, rule_files  # noqa: PLC0415 - quick --help
    from detectors.service.rule_files import compile_rules  # noqa: PLC0415
    from detectors.service.scan import Scanner  # noqa: PLC0415

    files, cache = rule_files([rules]), CacheFile(home)
    _, cold = _measured(lambda: compile_rules(files, cache))
    compiled, warm = _measured(lambda: compile_rules(files, cache))
    scanner = Scanner(compiled, _NOW)
    _, program = _measured(scanner.prepare)
    with events.open("rb") as stream:
        _, scan = _measured(lambda: _drain(scanner, events.name, stream))
    what = f"{scanner.counts.events} events from JSONL.xz, {len(compiled.rules)} rules"
    return [
        _figure("rules parsed and compiled", cold, "CPU-s", f"{len(files)} files, no cache"),
        _figure("rules from the cache", warm, "CPU-s", f"{len(files)} files, unchanged"),
        _figure("program of all rules", program, "CPU-s", f"{len(compiled.rules)} rules"),
        _figure("events x rules", scan, "CPU-s", f"{what}; rules compiled before; bar 2"),
        _figure("events through SigmaHQ", scanner.counts.events / scan, "1/CPU-s", what),
    ]


def _whole_command(rules: Path, home: Path, events: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "secops", "--home", str(home), "detectors", "scan-files"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 - our own command
        [*command, "--rules", str(rules), str(events)], check=True, capture_output=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    what = "whole process: start, rules from the cache, unpacking, matching"
    return [
        _figure("scan-files", cpu, "CPU-s", what),
        _figure("scan-files memory", after.ru_maxrss / 1024, "MB", f"{what}; bar 250"),
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
