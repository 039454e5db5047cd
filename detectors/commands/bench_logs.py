"""How fast logs are stored and searched: whole commands on a demo home of their own."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

_LINES: Final = 200_000
_SEARCHES: Final = (
    ("search by network and outcome", "source.ip:198.51.100.0/28 AND event.outcome:failure"),
    ("search the raw lines", "user996 198.51.100.7"),
    ("search with wildcards", "user.name:*99*"),
)


def figures(home: Path) -> list[dict[str, Any]]:
    """Return the figures of ingest and search; ``home`` is a folder to be thrown away."""
    home.mkdir(parents=True, exist_ok=True)
    _run(home, "init", "--demo")
    log, one = home / "sshd.log", home / "one.log"
    with log.open("w") as stream:
        stream.writelines(map(_line, range(_LINES)))
    one.write_text(_line(0))
    start = _run(home, "--as", "analyst", "logs", "ingest", str(one))
    fresh, _ = _run(home, "--as", "analyst", "logs", "ingest", str(log))
    again, _ = _run(home, "--as", "analyst", "logs", "ingest", str(log))
    what = f"{_LINES} sshd lines, {log.stat().st_size / _LINES:.0f} bytes each; the command's start"
    circumstances = f"{what} ({start[0]:.2f} CPU-s) taken off; parsed to Parquet"
    size = sum(p.stat().st_size for p in (home / "segments").rglob("*") if p.is_file())
    found = [
        _figure("events stored", _rate(fresh, start[0]), "1/CPU-s", circumstances),
        _figure("events known already", _rate(again, start[0]), "1/CPU-s", circumstances),
        _figure("bytes kept of an event", size / _LINES, "B", f"{what}; raw line and id included"),
    ]
    for name, query in _SEARCHES:
        cpu, lines = _run(home, "--as", "analyst", "logs", "search", query, "--limit", "100")
        cost = max(cpu - start[0], 0.001)
        found.append(_figure(name, cost, "CPU-s", f"{lines} of {_LINES} events shown: {query}"))
    return found


def _line(number: int) -> str:
    address = f"198.51.100.{number % 250}"
    text = f"Failed password for user{number % 997} from {address} port {1024 + number % 60_000}"
    stamp = f"Nov 22 {number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
    return f"{stamp} web sshd[{number % 32_768}]: {text} ssh2\n"


def _run(home: Path, *arguments: str) -> tuple[float, int]:
    """Run one command; return its CPU-seconds and how many lines it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "secops", "--home", str(home), *arguments],
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, done.stdout.count(b"\n")


def _rate(cpu: float, start: float) -> float:
    return _LINES / max(cpu - start, 0.001)


def _figure(name: str, value: float, unit: str, circumstances: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "per_cpu_second": unit.endswith("/CPU-s"),
        "circumstances": circumstances,
    }
