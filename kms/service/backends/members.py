"""One backend as a member of a group: its circuit, its checks, what it has done."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

from kms.core.backends.circuit import Circuit
from kms.errors.backends import BackendFault, BackendWrongAnswer
from kms.models.backends import BackendOptions
from kms.ports.backends import KeyBackend
from secops.crypto.errors import InvalidSignature, MalformedEncoding
from secops.kernel.clock import Clock
from secops.kernel.waiting import about_to_wait

T = TypeVar("T")

_MINUTE: Final = 60.0
_REMEMBERED: Final = 100_000

Note = Callable[[str, str], None]
"""Told a member's name and its failure's code ("" when it works again), once at each change."""


class Member:
    """Gives a backend work as long as it answers right. Safe in any number of threads."""

    def __init__(self, backend: KeyBackend, clock: Clock, note: Note) -> None:
        self.backend = backend
        self._clock = clock
        self._note = note
        self._circuit = Circuit()
        self._checking = threading.Lock()
        self._counting = threading.Lock()
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)
        self.calls = 0
        self.failures = 0

    @property
    def options(self) -> BackendOptions:
        """How the backend is configured."""
        return self.backend.options

    @property
    def failure(self) -> str:
        """The code of what stands against it, "" if nothing does."""
        return self._circuit.failure

    @property
    def rate(self) -> float:
        """Calls per second over the last minute."""
        with self._counting:
            since = self._clock.monotonic() - _MINUTE
            while self._recent and self._recent[0] < since:
                self._recent.popleft()
            return len(self._recent) / _MINUTE

    def is_ready(self) -> bool:
        """Tell whether it may work now; check it first where that is due."""
        if self._circuit.readiness(self._clock.monotonic()) == "ready":
            return True
        about_to_wait()
        # callers that come together wait for one check instead of each making its own
        if not self._checking.acquire(timeout=self.options.time_limit):
            return False
        try:
            readiness = self._circuit.readiness(self._clock.monotonic())
            return readiness == "ready" or (readiness == "check" and self._check())
        finally:
            self._checking.release()

    def check(self) -> bool:
        """Check it now, whatever its state; tell whether it passed."""
        with self._checking:
            return self._check()

    def work(self, call: Callable[[KeyBackend], T], verify: Callable[[T], None]) -> T:
        """Return what ``call`` makes once ``verify`` found it right; raise ``BackendFault``."""
        with self._counting:
            self.calls += 1
            self._recent.append(self._clock.monotonic())
        try:
            made = self._right(call, verify)
        except BackendFault as error:
            self._fail(error)
            raise
        if self._circuit.failures:
            self._circuit = self._circuit.worked()
        return made

    def _right(self, call: Callable[[KeyBackend], T], verify: Callable[[T], None]) -> T:
        try:
            made = call(self.backend)
            verify(made)
        except (InvalidSignature, MalformedEncoding) as error:
            # what can't even be read as a signature is the backend's fault, not the caller's
            msg = f"{self.options.name}: the signature does not verify"
            raise BackendWrongAnswer(msg) from error
        return made

    def _check(self) -> bool:
        before = self._circuit
        try:
            self.backend.check()
        except BackendFault as error:
            self._fail(error)
            return False
        self._circuit = before.checked()
        if before.failure or not before.failures:
            self._note(self.options.name, "")
        return True

    def _fail(self, error: BackendFault) -> None:
        with self._counting:
            self.failures += 1
            before = self._circuit
            self._circuit = before.failed(self._clock.monotonic(), error.code)
        if before.failure != error.code:
            self._note(self.options.name, error.code)
