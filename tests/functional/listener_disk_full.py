"""Syslog comes in while a small tmpfs fills up; prints what was acknowledged and what is stored."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from detectors.models import DetectorsOptions
from detectors.models.listening import Endpoint, Heard, ListenerOptions
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.service.logs.listening import SyslogIntake
from secops.adapters.database.engine import database_url, make_engine
from secops.kernel.errors import SecopsError
from secops.kernel.logs import And, Window
from secops.migrations import upgrade
from tests.fakes.detection_house import ANALYST
from tests.functional.spine_process import open_process

LINES = 1_500
ROOM = 512 << 10
"""Bytes that are left when the story begins: a third of what will be sent."""
PATIENCE = 60.0


def line(number: int) -> bytes:
    text = f"<38>Nov 22 17:31:23 gw sshd[{number}]: Accepted password for u{number} {'x' * 700}"
    return f"{len(text)} {text}".encode()


def send(port: int) -> None:
    """Send all lines over one connection: it is held up while nothing can be taken."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        for number in range(LINES):
            client.sendall(line(number))


def until(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not look() and time.monotonic() < deadline:
        time.sleep(0.05)
    return look()


def at_rest(count: Callable[[], int]) -> bool:
    """Tell whether ``count`` stands still for half a second."""
    before = count()
    time.sleep(0.5)
    return before == count() > 0


def fill(folder: Path) -> Path:
    """Take all but ``ROOM``."""
    path = folder / "filler"
    with path.open("wb") as stream:
        stream.write(bytes(max(shutil.disk_usage(folder).free - ROOM, 0)))
    return path


GOOD = b'{"@timestamp":"2026-11-22T01:00:00Z","message":"%s"}'
BAD = b'{"@timestamp":"never","message":"%s"}'


def shipped(services: DetectorsServices, document: bytes) -> str:
    """Offer bulk documents until one request is refused, and say how."""
    for number in range(2_000):
        filled = document % (b"%d " % number + b"y" * 4_000)
        try:
            services.shipping.ship_logs(ANALYST, b'{"create":{"_index":"bulk"}}\n' + filled + b"\n")
        except SecopsError as error:
            return error.code
    return "granted"


def drained(jobs: dict[str, Callable[[], bool]]) -> str:
    try:
        while jobs["detectors.store_logs"]():
            pass
    except SecopsError as error:
        return error.code
    return ""


_TAKE = SyslogIntake.take


def answer_first(self: SyslogIntake, heard: Sequence[Heard]) -> int:
    """The control: say that it has what it could not write."""
    try:
        return _TAKE(self, heard)
    except SecopsError:
        return len(heard)


def tell(home: Path, mode: str) -> dict[str, Any]:
    if mode == "answer_first":
        SyslogIntake.take = answer_first  # type: ignore[method-assign]
    engine = make_engine(database_url(home, None))
    upgrade(engine)
    engine.dispose()
    spine = open_process(home, "gateway")
    listeners = ListenerOptions((Endpoint("tcp", "127.0.0.1", 0),))
    plane = install(spine.parts, DetectorsPorts(), DetectorsOptions(listeners=listeners))
    services = plane.services
    assert isinstance(services, DetectorsServices)
    jobs = {job.name: job.tick for job in plane.jobs}
    (endpoint,) = services.listening.start_listeners()
    sender = threading.Thread(target=send, args=(endpoint.port,))
    filler = fill(home)
    sender.start()

    def acknowledged() -> int:
        return services.listening.listener_counts().stored

    until(lambda: at_rest(acknowledged))
    found: dict[str, Any] = {"sent": LINES, "acknowledged_when_full": acknowledged()}
    found["bulk_when_full"] = shipped(services, GOOD)
    found["bad_when_full"] = shipped(services, BAD)
    found["store_when_full"] = drained(jobs)
    filler.unlink()
    until(lambda: acknowledged() >= LINES)
    sender.join(PATIENCE)
    drained(jobs)
    found["acknowledged"] = acknowledged()
    events = services.logs.store.search(And(()), Window(), 50_000)
    lines = Counter(e.event.raw for e in events if e.event.source != "bulk")
    found |= {"stored": len(lines), "double": sum(lines.values()) - len(lines)}
    services.listening.stop_listeners()
    spine.close()
    return found


if __name__ == "__main__":
    print(json.dumps(tell(Path(sys.argv[1]), sys.argv[2])))
