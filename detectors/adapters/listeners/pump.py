"""From the sockets to the intake: what is heard gathers while the batch before is synced.

Bounded: who sends over a stream is not read further until what he sent is durable; datagrams
beyond the bound are dropped and counted, since nobody can hold back their sender.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from detectors.models.listening import Heard
from detectors.ports.listening import SyslogSink
from secops.kernel.errors import SecopsError

_LOG: Final = logging.getLogger("detectors.listeners")
QUEUE_BYTES: Final = 32 << 20
BATCH: Final = 5_000
_GATHER_SECONDS: Final = 0.02
_RETRY_SECONDS: Final = 0.25
_LET_GO_SECONDS: Final = 0.5
_OVERHEAD: Final = 200
"""Bytes that a message costs beside its text."""


class Pump:
    """Runs inside the listeners' loop; the intake works in a thread of its own."""

    def __init__(self, sink: SyslogSink) -> None:
        self.heard = 0
        self.stored = 0
        self.dropped = 0
        self._sink = sink
        self._queue: list[Heard] = []
        self._size = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._something = asyncio.Event()
        self._stopping = False
        self._lost: Counter[str] = Counter()
        self._worker = ThreadPoolExecutor(1, "syslog-intake")

    def offer(self, message: Heard) -> None:
        """Take a datagram, or drop and count it."""
        if self._size >= QUEUE_BYTES:
            self.lose(message.peer, 1)
            return
        self._put(message)
        self._something.set()

    def lose(self, peer: str, count: int) -> None:
        """Count what was not taken."""
        self.dropped += count
        self._lost[peer] += count
        self._something.set()

    async def deliver(self, messages: Sequence[Heard]) -> None:
        """Return when ``messages`` are durable."""
        if not messages:
            return
        done = asyncio.get_running_loop().create_future()
        for message in messages:
            self._put(message)
        self._waiting.append(done)
        self._something.set()
        await done

    async def run(self) -> None:
        """Hand over until ``stop``; what was heard before is handed over first."""
        while not self._stopping or self._queue:
            if not self._stopping:
                await self._until_something()
            await self._hand_over()
            if self._sink.waiting():
                await self._let_go(everything=False)
        await self._let_go(everything=True)
        self._worker.shutdown(wait=False)

    async def _until_something(self) -> None:
        """Wait for messages; not for long while some wait for others of their event."""
        seconds = _LET_GO_SECONDS if self._sink.waiting() else None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), seconds)
        self._something.clear()
        await asyncio.sleep(_GATHER_SECONDS)

    async def _let_go(self, *, everything: bool) -> None:
        """Have stored what has waited long enough; what can't be is tried again, at last lost."""
        work = partial(self._sink.overdue, everything=everything)
        try:
            loop = asyncio.get_running_loop()
            self.stored += await loop.run_in_executor(self._worker, work)
        except SecopsError as error:
            _LOG.warning("syslog has to wait: %s", error.code)
            self.dropped += self._sink.waiting() if everything else 0
        except Exception:  # noqa: BLE001 - what waits must not end the hearing of the rest
            _LOG.exception("syslog messages that wait could not be taken")
            self.dropped += self._sink.waiting() if everything else 0

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stopping = True
        self._something.set()

    def _put(self, message: Heard) -> None:
        self.heard += 1
        self._queue.append(message)
        self._size += len(message.raw) + _OVERHEAD

    async def _hand_over(self) -> None:
        queue, waiting, lost = self._queue, self._waiting, self._lost
        self._queue, self._waiting, self._size = [], [], 0
        self._lost = Counter()
        for begin in range(0, len(queue), BATCH):
            await self._store(queue[begin : begin + BATCH])
        for done in waiting:
            if not done.done():
                done.set_result(None)
        if lost:
            await self._note(lost)

    async def _store(self, batch: Sequence[Heard]) -> None:
        """Store a batch, again and again while the intake has no room or no disk."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                self.stored += await loop.run_in_executor(self._worker, self._sink.take, batch)
            except SecopsError as error:
                _LOG.warning("syslog has to wait: %s", error.code)
                if self._stopping:
                    self.dropped += len(batch)
                    return
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:  # noqa: BLE001 - one bad batch must not end the hearing of the rest
                _LOG.exception("%d syslog messages could not be taken", len(batch))
                self.dropped += len(batch)
                return
            else:
                return

    async def _note(self, lost: Counter[str]) -> None:
        loop = asyncio.get_running_loop()
        for peer, count in lost.items():
            with contextlib.suppress(SecopsError):
                await loop.run_in_executor(self._worker, self._sink.drop, peer, count)
