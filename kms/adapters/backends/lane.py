"""Calls into a device's library, each within a time limit.

A C function that hangs can't be stopped. So calls run in threads of their own: the caller
waits no longer than the limit, and once every thread hangs, further calls are refused at once
instead of piling up. Threads end after a second without work; they don't keep a process alive.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar, cast

from kms.errors.backends import BackendTimeout
from secops.kernel.waiting import about_to_wait

T = TypeVar("T")

_IDLE: Final = 1.0
_RESETTING: Final = threading.Lock()


class _Call(Generic[T]):
    """One call: its work, and what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done = threading.Event()
        self._value: T | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the caller waits
            self._error = error
        self._done.set()

    def wait(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return cast("T", self._value)


class TimedLane:
    """Runs at most ``width`` calls at a time, each of at most ``limit`` seconds."""

    def __init__(self, name: str, *, limit: float, width: int) -> None:
        self._name = name
        self._limit = limit
        self._width = width
        self._reset()

    def run(self, work: Callable[[], T], *, patience: float = 1.0) -> T:
        """Return what ``work`` returns; raise what it raises, or ``BackendTimeout``.

        ``patience`` multiplies the limit, for what may take longer than a signature.
        """
        about_to_wait()
        with _RESETTING:
            if self._process != os.getpid():
                self._reset()  # the threads stayed with the parent
        call = _Call(work)
        with self._lock:
            if self._hanging >= self._width:
                raise BackendTimeout(f"{self._name}: every call hangs")
            self._calls.put(call)
            if not self._idle and self._threads < self._width:
                self._threads += 1
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()
        limit = self._limit * patience
        if call.wait(limit):
            return call.result()
        with self._lock:
            self._hanging += 1
        threading.Thread(target=self._await_late, args=(call,), daemon=True).start()
        raise BackendTimeout(f"{self._name}: no answer within {limit:g} s")

    def _reset(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[_Call[Any]] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0
        self._hanging = 0

    def _serve(self) -> None:
        calls, lock = self._calls, self._lock
        while True:
            with lock:
                self._idle += 1
            try:
                call = calls.get(timeout=_IDLE)
            except queue.Empty:
                call = None
            with lock:
                self._idle -= 1
                if call is None and calls.empty():
                    self._threads -= 1
                    return
            if call is not None:
                call.run()

    def _await_late(self, call: _Call[Any]) -> None:
        call.wait(threading.TIMEOUT_MAX)
        with self._lock:
            self._hanging -= 1
