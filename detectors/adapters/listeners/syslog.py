"""The listeners of one process: a loop in a thread, closed in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from detectors.adapters.listeners.pump import Pump
from detectors.adapters.listeners.sockets import (
    OpenSocket,
    certified_name,
    open_sockets,
    plain_address,
    receive,
    server_context,
)
from detectors.models.listening import Endpoint, Heard, ListenerCounts, ListenerOptions, Transport
from detectors.ports.listening import StreamCutter, SyslogSink
from secops.kernel.clock import Clock

_LOG: Final = logging.getLogger("detectors.listeners")
_PIECE: Final = 131_072
_DATAGRAMS_AT_ONCE: Final = 200
_HANDSHAKE_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 10.0
_SHARE: Final = 4
"""One peer may have a quarter of all connections."""


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
        self._pump: Pump | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._peers: Counter[str] = Counter()
        self._conversations: set[asyncio.Task[None]] = set()
        self._kernel_lost: dict[int, int] = {}
        self._refused = 0
        self._failed = 0

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
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or self._stopped is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(self._stopped.set)
        thread.join(_STOP_SECONDS)
        self._thread = None

    def counts(self) -> ListenerCounts:
        """Return what they have done since they were opened."""
        pump = self._pump
        if pump is None:
            return ListenerCounts()
        return ListenerCounts(
            heard=pump.heard,
            stored=pump.stored,
            dropped=pump.dropped,
            connections=self._peers.total(),
            refused=self._refused,
            failed=self._failed,
        )

    _stopped: asyncio.Event | None = None

    async def _serve(
        self, opened: Sequence[OpenSocket], context: Any, ready: threading.Event
    ) -> None:
        loop = self._loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_failure)
        pump = self._pump = Pump(self._sink)
        stopped = self._stopped = asyncio.Event()
        pumping = asyncio.create_task(pump.run())
        servers = []
        for each in opened:
            if each.endpoint.transport == "udp":
                loop.add_reader(each.socket, self._on_datagrams, each.socket, pump)
            else:
                servers.append(await self._stream_server(each, context, pump))
        ready.set()
        await stopped.wait()
        for server in servers:
            server.close()
        for each in opened:
            if each.endpoint.transport == "udp":
                loop.remove_reader(each.socket)
                each.socket.close()
        for conversation in list(self._conversations):
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        pump.stop()
        await pumping

    async def _stream_server(self, each: OpenSocket, context: Any, pump: Pump) -> Any:
        transport = each.endpoint.transport

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._conversations.add(task)
                task.add_done_callback(self._conversations.discard)
            await self._admit(reader, writer, transport, pump)

        secured: dict[str, Any] = {}
        if transport == "tls":
            secured = {"ssl": context, "ssl_handshake_timeout": _HANDSHAKE_SECONDS}
        return await asyncio.start_server(converse, sock=each.socket, **secured)

    async def _admit(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        transport: Transport,
        pump: Pump,
    ) -> None:
        """Hear a peer out if there is room for another connection of his."""
        peer = plain_address((writer.get_extra_info("peername") or ("unknown",))[0])
        most = self._options.max_connections
        try:
            if self._peers.total() >= most or self._peers[peer] >= max(most // _SHARE, 1):
                self._refused += 1
                return
            self._peers[peer] += 1
            name = certified_name(writer.get_extra_info("peercert"))
            try:
                await self._hear_out(reader, (peer, transport, name), pump)
            finally:
                self._peers[peer] -= 1
                if not self._peers[peer]:
                    del self._peers[peer]
        finally:
            writer.close()

    async def _hear_out(
        self, reader: asyncio.StreamReader, who: tuple[str, Transport, str], pump: Pump
    ) -> None:
        """Read, make durable, read on: what is not durable is not followed by more."""
        peer, transport, name = who
        cutter = self._cutter(self._options.max_message)
        going = True
        while going:
            try:
                content = await asyncio.wait_for(reader.read(_PIECE), self._options.idle_seconds)
            except (TimeoutError, OSError):
                content = b""
            going = bool(content)
            frames = cutter.feed(content) if going else cutter.end()
            now = self._clock.now()
            await pump.deliver([Heard(peer, raw, now, transport, cut, name) for raw, cut in frames])

    def _on_datagrams(self, opened: socket.socket, pump: Pump) -> None:
        now = self._clock.now()
        for _ in range(_DATAGRAMS_AT_ONCE):
            try:
                content, peer, lost = receive(opened)
            except OSError:
                return
            if lost is not None:
                before = self._kernel_lost.get(opened.fileno(), 0)
                if lost > before:
                    self._kernel_lost[opened.fileno()] = lost
                    pump.lose("", lost - before)
            most = self._options.max_message
            raw = content[:most].rstrip(b"\r\n\x00")
            if raw:
                pump.offer(Heard(peer, raw, now, "udp", len(content) > most))

    def _on_failure(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Count what a connection did wrong (a TLS handshake, as a rule)."""
        self._failed += 1
        _LOG.info("a connection failed: %s", type(context.get("exception")).__name__)
