"""Connections over TCP and TLS: accepted within limits, read no further than is durable."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from detectors.adapters.listeners.pump import Pump
from detectors.adapters.listeners.sockets import OpenSocket, certified_name, plain_address
from detectors.models.listening import Heard, ListenerOptions
from detectors.ports.listening import StreamCutter
from secops.kernel.clock import Clock

_LOG: Final = logging.getLogger("detectors.listeners")
_PIECE: Final = 131_072
_HANDSHAKE_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.1
_SHARE: Final = 4
"""One peer may have a quarter of all connections."""


class Streams:
    """The connections of one process; lives inside the listeners' loop."""

    def __init__(
        self,
        options: ListenerOptions,
        pump: Pump,
        cutter: Callable[[int], StreamCutter],
        clock: Clock,
    ) -> None:
        self.peers: Counter[str] = Counter()
        self.refused = 0
        self.failed = 0
        self._options = options
        self._pump = pump
        self._cutter = cutter
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, each: OpenSocket, context: ssl.SSLContext | None) -> None:
        """Begin to accept on a socket; ``context`` is that of a TLS one."""
        self._begin(self._accept(each, context))

    async def close(self) -> None:
        """End all connections; what they have handed over is not touched."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, each: OpenSocket, context: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    accepted, address = await loop.sock_accept(each.socket)
                except OSError as error:  # out of descriptors, or the peer is gone already
                    _LOG.warning("no connection could be accepted: %s", error.strerror)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                self._begin(self._admit(accepted, plain_address(address[0]), each, context))
        finally:
            each.socket.close()

    async def _admit(
        self,
        accepted: socket.socket,
        peer: str,
        each: OpenSocket,
        context: ssl.SSLContext | None,
    ) -> None:
        """Hear a peer out if there is room for another connection of his."""
        most = self._options.max_connections
        if self.peers.total() >= most or self.peers[peer] >= max(most // _SHARE, 1):
            self.refused += 1
            accepted.close()
            return
        self.peers[peer] += 1
        try:
            await self._converse(accepted, peer, each, context)
        except OSError as error:  # a handshake that failed, a reset
            self.failed += 1
            _LOG.info("a connection failed: %s", type(error).__name__)
        finally:
            self.peers[peer] -= 1
            if not self.peers[peer]:
                del self.peers[peer]

    async def _converse(
        self,
        accepted: socket.socket,
        peer: str,
        each: OpenSocket,
        context: ssl.SSLContext | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        patience = None if context is None else _HANDSHAKE_SECONDS
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader, loop=loop),
                accepted,
                ssl=context,
                ssl_handshake_timeout=patience,
            )
        except BaseException:
            accepted.close()
            raise
        try:
            name = certified_name(transport.get_extra_info("peercert"))
            who = Heard(peer, b"", 0, each.endpoint.transport, name=name)
            await self._hear_out(reader, who)
        finally:
            transport.close()

    async def _hear_out(self, reader: asyncio.StreamReader, who: Heard) -> None:
        """Read, make durable, read on: what is not durable is not followed by more."""
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
            await self._pump.deliver(
                [Heard(who.peer, raw, now, who.transport, cut, who.name) for raw, cut in frames]
            )
