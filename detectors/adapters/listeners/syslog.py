"""The listeners of one process: a loop in a thread, closed in order."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.adapters.listeners.pump import Pump
from detectors.adapters.listeners.sockets import OpenSocket, open_sockets, receive, server_context
from detectors.adapters.listeners.streams import Streams
from detectors.models.listening import Endpoint, Heard, ListenerCounts, ListenerOptions
from detectors.ports.listening import StreamCutter, SyslogSink
from secops.kernel.clock import Clock

_DATAGRAMS_AT_ONCE: Final = 200
_STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Running:
    """What lives in the loop."""

    loop: asyncio.AbstractEventLoop
    stopped: asyncio.Event
    pump: Pump
    streams: Streams


class SyslogListeners:
    """Implements ``ports.Listeners``."""

    def __init__(
        self,
        options: ListenerOptions,
        sink: SyslogSink,
        cutter: Callable[[int], StreamCutter],
        clock: Clock,
    ) -> None:
        self._options = options
        self._sink = sink
        self._cutter = cutter
        self._clock = clock
        self._running: _Running | None = None
        self._thread: threading.Thread | None = None
        self._kernel_lost: dict[int, int] = {}

    def start(self) -> Sequence[Endpoint]:
        """Open all and return where they listen; raises ``ListenerFailed``, then none is open."""
        opened: list[OpenSocket] = []
        try:
            for endpoint in self._options.endpoints:
                opened.extend(open_sockets(endpoint))
            with_tls = any(each.endpoint.transport == "tls" for each in opened)
            context = server_context(self._options) if with_tls else None
        except Exception:
            for each in opened:
                each.socket.close()
            raise
        if opened:
            ready = threading.Event()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._serve(opened, context, ready)),
                name="syslog",
                daemon=True,
            )
            self._thread.start()
            ready.wait()
        return [each.endpoint for each in opened]

    def stop(self) -> None:
        """Close them; what was heard is stored first. Doing it twice does no harm."""
        running, thread = self._running, self._thread
        if running is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            running.loop.call_soon_threadsafe(running.stopped.set)
        thread.join(_STOP_SECONDS)
        self._thread = None

    def counts(self) -> ListenerCounts:
        """Return what they have done since they were opened."""
        running = self._running
        if running is None:
            return ListenerCounts()
        pump, streams = running.pump, running.streams
        return ListenerCounts(
            heard=pump.heard,
            stored=pump.stored,
            dropped=pump.dropped,
            connections=streams.peers.total(),
            refused=streams.refused,
            failed=streams.failed,
        )

    async def _serve(
        self, opened: Sequence[OpenSocket], context: ssl.SSLContext | None, ready: threading.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        pump = Pump(self._sink)
        streams = Streams(self._options, pump, self._cutter, self._clock)
        self._running = _Running(loop, asyncio.Event(), pump, streams)
        pumping = loop.create_task(pump.run())
        datagrams = [each for each in opened if each.endpoint.transport == "udp"]
        for each in opened:
            if each.endpoint.transport == "udp":
                loop.add_reader(each.socket, self._on_datagrams, each, pump)
            else:
                streams.listen(each, context if each.endpoint.transport == "tls" else None)
        ready.set()
        await self._running.stopped.wait()
        for each in datagrams:
            loop.remove_reader(each.socket)
            each.socket.close()
        await streams.close()
        pump.stop()
        await pumping

    def _on_datagrams(self, each: OpenSocket, pump: Pump) -> None:
        now, most = self._clock.now(), self._options.max_message
        for _ in range(_DATAGRAMS_AT_ONCE):
            try:
                content, peer, lost = receive(each.socket)
            except OSError:
                return
            if lost is not None:
                self._note_lost(each.socket.fileno(), lost, pump)
            raw = content[:most].rstrip(b"\r\n\x00")
            if raw:
                pump.offer(Heard(peer, raw, now, "udp", len(content) > most))

    def _note_lost(self, descriptor: int, lost: int, pump: Pump) -> None:
        """Count what the kernel has lost since it last said so."""
        before = self._kernel_lost.get(descriptor, 0)
        if lost > before:
            self._kernel_lost[descriptor] = lost
            pump.lose("", lost - before)
