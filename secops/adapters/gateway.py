"""The processes of ``secops serve``: granian gateways per address, and one scheduler.

The parent opens nothing of the home: workers open it after the fork, each as its own
process. A child that dies ends the service, unless it can be started again.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Final

_GRACE_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.1
_BACKLOG: Final = 1024
_HEADER_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Where the gateway listens and with how many workers and threads a worker."""

    target: str
    addresses: tuple[str, ...]
    port: int
    workers: int
    threads: int
    tls_cert: str = ""
    tls_key: str = ""


def run_gateway(options: GatewayOptions, address: str) -> None:
    """Serve on one ``address`` until SIGTERM; the target is ``module:factory``."""
    from granian import Granian  # noqa: PLC0415 - only the gateway's own process needs it
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    Granian(
        options.target,
        address=address,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=options.workers,
        blocking_threads=options.threads,
        backpressure=options.threads * 2,
        backlog=_BACKLOG,
        websockets=False,
        http1_settings=HTTP1Settings(max_buffer_size=_HEADER_BYTES),
        ssl_cert=Path(options.tls_cert) if options.tls_cert else None,
        ssl_key=Path(options.tls_key) if options.tls_key else None,
        factory=True,
        respawn_failed_workers=True,
        workers_kill_timeout=int(_GRACE_SECONDS),
        log_level=LogLevels.error,
    ).serve()


@dataclass(slots=True)
class Supervisor:
    """Starts the processes, restarts a scheduler that died, and ends them together."""

    options: GatewayOptions
    scheduler: Callable[[], None]

    def run(self, on_ready: Callable[[], None], is_ready: Callable[[], bool]) -> int:
        """Run until a signal comes; return the exit code (0 asked to stop, 1 a gateway died)."""
        context = multiprocessing.get_context("spawn")
        asked = _asked_to_stop()
        gateways = [
            context.Process(
                target=run_gateway, args=(self.options, address), name=f"gateway {address}"
            )
            for address in self.options.addresses
        ]
        worker = context.Process(target=self.scheduler, name="scheduler")
        for process in (*gateways, worker):
            process.start()
        announced = False
        code = 0
        while not asked:
            time.sleep(_POLL_SECONDS)
            if not announced and is_ready():
                announced = True
                on_ready()
            if any(process.exitcode is not None for process in gateways):
                code = 1
                break
            if worker.exitcode is not None:
                worker = context.Process(target=self.scheduler, name="scheduler")
                worker.start()
        end_processes((*gateways, worker))
        return code


def _asked_to_stop() -> list[int]:
    """Return a list that a signal makes non-empty: appending is safe inside a handler."""
    asked: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return asked


def end_processes(processes: Sequence[SpawnProcess]) -> None:
    """Ask ``processes`` to stop, wait for the requests in flight, then insist."""
    for process in processes:
        if process.is_alive():
            process.terminate()
    for process in processes:
        with contextlib.suppress(AssertionError):
            process.join(_GRACE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
