"""A demo home served by processes of its own, as a client on loopback sees it."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from secops.cli.bench.load import Load, Loaded
from secops.kernel.errors import Unavailable
from secops.settings import bare_environment

SECOPS: Final = (sys.executable, "-m", "secops")
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
_POLL: Final = 0.02
_OK: Final = 200
_LISTEN: Final = "0A"
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_CLIENT: Final = re.compile(r"^application (\S+)\s+secret (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of all processes, and of the gateways alone."""

    all: float
    gateway: float


@dataclass(frozen=True, slots=True)
class Served:
    """A running service over a demo home. ``start_seconds``: from the command to readiness."""

    home: Path
    port: int
    pid: int
    start_seconds: float

    def cpu_seconds(self) -> dict[int, float]:
        """Return CPU seconds so far, by process."""
        return {pid: _cpu(pid) for pid in descendants(self.pid)}

    def gateways(self) -> list[int]:
        """Return the processes that listen."""
        inodes = _listening(self.port)
        return [pid for pid in descendants(self.pid) if _sockets(pid) & inodes]

    def gateway_rss(self) -> float:
        """Return the resident memory in MB (10^6 bytes) of the largest that listens."""
        return max(map(_rss, self.gateways())) / 1e6

    def shared_rss(self) -> float:
        """Return the memory of all processes in MB, what they share counted once (PSS)."""
        return sum(map(_pss, descendants(self.pid))) / 1e3

    def run(self, load: Load) -> tuple[Loaded, Spent]:
        """Run ``load`` from a process of its own; return its outcome and our CPU seconds."""
        before = self.cpu_seconds()
        ran = subprocess.run(
            (sys.executable, "-m", "secops.cli.bench.load"),
            input=json.dumps(asdict(load)),
            capture_output=True,
            text=True,
            check=True,
        )
        after = self.cpu_seconds()
        each = {pid: after[pid] - before.get(pid, 0.0) for pid in after}
        spent = Spent(sum(each.values()), sum(each[pid] for pid in self.gateways()))
        return Loaded(**json.loads(ran.stdout)), spent

    @property
    def client(self) -> tuple[str, str]:
        """The demo application's id and secret."""
        found = _CLIENT.search((self.home / "demo-accounts.txt").read_text())
        if found is None:
            raise Unavailable("the demo home has no application")
        return found[1], found[2]


@contextmanager
def demo_home() -> Iterator[Path]:
    """Make a demo home in a temporary folder; it is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="secops-bench-") as folder:
        home = Path(folder) / "home"
        command(home, "init", "--demo")
        yield home


def command(home: Path, *words: str) -> str:
    """Run a ``secops`` command on ``home``; return its stdout; raise ``Unavailable``."""
    ran = subprocess.run(  # noqa: S603 - our own command
        (*SECOPS, "--home", str(home), *words),
        capture_output=True,
        text=True,
        check=False,
        env=bare_environment(),
    )
    if ran.returncode:
        raise Unavailable(f"secops {words[0]} ended with {ran.returncode}: {ran.stderr[-500:]}")
    return ran.stdout


@contextmanager
def serve(home: Path, **settings: str) -> Iterator[Served]:
    """Serve ``home`` on a free port until the block ends, with ``settings`` of its own."""
    port = free_port()
    begun = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        (*SECOPS, "--home", str(home), "serve", "--port", str(port)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=bare_environment() | {f"SECOPS_{name.upper()}": v for name, v in settings.items()},
    )
    try:
        while not is_ready(port):
            if process.poll() is not None or time.perf_counter() - begun > _START_SECONDS:
                raise Unavailable("the service did not become ready")
            time.sleep(_POLL)
        yield Served(home, port, process.pid, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def is_ready(port: int) -> bool:
    """Tell whether ``/readyz`` says so."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def descendants(pid: int) -> list[int]:
    """Return ``pid`` and every process below it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents[int(entry.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one)
    return found


def _stat(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` from the state on (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _listening(port: int) -> set[str]:
    """Return the inodes of the sockets that listen on ``port`` (proc(5), /proc/net/tcp)."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            listening = [row for row in rows if row[3] == _LISTEN]
            found |= {row[9] for row in listening if int(row[1].rpartition(":")[2], 16) == port}
    return found


def _sockets(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


def _pss(pid: int) -> int:
    """Return kilobytes of proportional memory, 0 for a process that has gone."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


def _rss(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE") if fields else 0
