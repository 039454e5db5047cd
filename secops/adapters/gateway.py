"""The processes of ``secops serve``: gateways, and one scheduler.

The parent opens nothing of the home: workers open it after the fork, each as its own
process. A child that dies is started again, unless the gateways never began to serve or
die again and again: then the service ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import FrameType
from typing import Final

_GRACE_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.1
_LAST: Final = "secops.adapters.frozen"
_RESTARTS: Final = 5
"""How often gateways may be started again within ``_RESTARTS_SECONDS``."""
_RESTARTS_SECONDS: Final = 60.0


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
    tls_client_ca: str = ""


def run_gateway(options: GatewayOptions) -> None:
    """Run one worker until SIGTERM; the target is ``module:function``."""
    module, _, name = options.target.partition(":")
    getattr(import_module(module), name)(options)


@dataclass(slots=True)
class Supervisor:
    """Starts the processes, restarts those that died, and ends them together."""

    options: GatewayOptions
    scheduler: Callable[[], None]

    def run(self, on_ready: Callable[[], None], is_ready: Callable[[], bool]) -> int:
        """Run until a signal comes; return the exit code.

        0: asked to stop; 1: a gateway could not begin, or they died too often.
        """
        context = multiprocessing.get_context("forkserver")
        # what all of them import is imported once and shared; nothing of the home is opened there
        context.set_forkserver_preload([self.options.target.partition(":")[0], _LAST])
        asked = _asked_to_stop()
        gateways = [self._gateway(context, number) for number in range(self.options.workers)]
        worker = self._scheduler(context)
        restarts: deque[float] = deque(maxlen=_RESTARTS)
        announced = False
        code = 0
        while not asked:
            time.sleep(_POLL_SECONDS)
            if not announced and is_ready():
                announced = True
                on_ready()
            dead = [n for n, process in enumerate(gateways) if process.exitcode is not None]
            if dead and not (announced and _may_restart(restarts)):
                code = 1
                break
            for number in dead:
                gateways[number] = self._gateway(context, number)
            if worker.exitcode is not None:
                worker = self._scheduler(context)
        end_processes((*gateways, worker))
        return code

    def _gateway(self, context: ForkServerContext, number: int) -> ForkServerProcess:
        process = context.Process(
            target=run_gateway, args=(self.options,), name=f"gateway {number}"
        )
        process.start()
        return process

    def _scheduler(self, context: ForkServerContext) -> ForkServerProcess:
        process = context.Process(target=self.scheduler, name="scheduler")
        process.start()
        return process


def _may_restart(restarts: deque[float]) -> bool:
    """Note a restart and tell whether it is not one too many."""
    now = time.monotonic()
    too_many = len(restarts) == _RESTARTS and now - restarts[0] < _RESTARTS_SECONDS
    restarts.append(now)
    return not too_many


def _asked_to_stop() -> list[int]:
    """Return a list that a signal makes non-empty: appending is safe inside a handler."""
    asked: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return asked


def end_processes(processes: Sequence[ForkServerProcess]) -> None:
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
