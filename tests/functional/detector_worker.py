"""A scheduler of its own: runs the detectors' tick over a home until it is killed."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from detectors.models import DetectorsOptions
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.service.runs import runs, steps
from secops.adapters.spine import COMMAND_FILE_BYTES, SpineOptions, open_spine
from secops.kernel.clock import SystemClock
from secops.kernel.ids import SystemRandomness
from tests.fakes.access import FakeAccess


def main(home: Path, step: int, lease_seconds: float) -> None:
    steps.LIVE = step  # type: ignore[misc]
    steps.BACKFILL = step  # type: ignore[misc]
    runs.LEASE_SECONDS = lease_seconds  # type: ignore[misc]
    spine = open_spine(
        SpineOptions(home=home, role="scheduler", journal_bytes=COMMAND_FILE_BYTES),
        clock=SystemClock(),
        randomness=SystemRandomness(),
        access=FakeAccess(),
    )
    spine.start()
    options = DetectorsOptions(process=f"worker-{os.getpid()}")
    services = install(spine.parts, DetectorsPorts(), options).services
    assert isinstance(services, DetectorsServices)
    pause = threading.Event()
    while True:
        if not services.runs.tick():
            pause.wait(0.005)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
