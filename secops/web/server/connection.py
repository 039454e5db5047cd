"""One client's connection: limits, deadlines, pipelined requests in their order, answers.

A refused connection goes deaf: its answer is sent in turn, what still comes is thrown away for
a moment (closing at once would reset the answer away), then it ends.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Final, Protocol, cast

from secops.web.server.client_certificates import proved_certificate
from secops.web.server.fast import FastAnswers
from secops.web.server.heads import TooSlow
from secops.web.server.known import Waiting
from secops.web.server.parsing import RequestParser

IDLE_SECONDS: Final = 75.0
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 10.0
BYTES_PER_SECOND: Final = 16_384
"""A body that comes slower than this, after the first ten seconds, is given up."""
LINGER_SECONDS: Final = 2.0
WRITE_SECONDS: Final = 60.0
MAX_PIPELINED: Final = 32
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Server(Protocol):
    """What a connection needs of the server. ``now`` is at most half a second old."""

    answers: FastAnswers
    now: float

    def opened(self, connection: Connection) -> bool:
        """Count the connection in; False if there are too many."""
        ...

    def closed(self, connection: Connection) -> None:
        """Count the connection out."""
        ...

    def reserve(self, count: int) -> bool:
        """Reserve memory for a body; False if too many bodies are held already."""
        ...

    def release(self, count: int) -> None:
        """Give reserved memory back."""
        ...

    def take(self, connection: Connection, waiting: Waiting) -> None:
        """Answer a request, now or later, by ``connection.answer``."""
        ...


class Connection(asyncio.Protocol):
    """One client; all of it runs on the loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = RequestParser(server.answers, self._reserve)
        self._transport: asyncio.Transport | None = None
        self._queue: deque[Waiting] = deque()
        self._busy = False
        self._pumping = False
        self._unread = False
        self._leaving = False
        self._reserved = 0
        self._body = 0
        self.remote = ""
        self.certificate = b""
        self.deadline = math.inf

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless too many are connected."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.remote = str(peer[0]).partition("%")[0] if peer else ""
        self.certificate = proved_certificate(transport.get_extra_info("ssl_object"))
        self.deadline = self._server.now + IDLE_SECONDS
        if not self._server.opened(self):
            self._transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget everything; answers on their way are dropped."""
        self._transport = None
        self._queue.clear()
        self._give_back(self._reserved)
        self._server.closed(self)

    def data_received(self, data: bytes) -> None:
        """Begin a request as soon as it is whole."""
        parser = self._parser
        was_reading = parser.reading
        self._queue.extend(parser.feed(data))
        if parser.reading and not (self._busy or self._unread):
            self._set_deadline(new=not was_reading)
        if self._queue:
            if len(self._queue) >= MAX_PIPELINED and self._transport is not None:
                self._transport.pause_reading()
            self._pump()

    def eof_received(self) -> bool:
        """Keep a half-closed connection until what was asked is answered."""
        self._parser.deaf = True
        return self._busy or bool(self._queue)

    def pause_writing(self) -> None:
        """Begin nothing more for a client that reads slowly."""
        self._unread = True
        if self._transport is not None:
            size = self._transport.get_write_buffer_size()
            self.deadline = self._server.now + WRITE_SECONDS + size / BYTES_PER_SECOND

    def resume_writing(self) -> None:
        """Go on: the client has read what we had."""
        self._unread = False
        self._rest()
        self._pump()

    # turn by turn

    def _rest(self) -> None:
        """Set the deadline that fits, unless the client still reads: that one stands."""
        if self._unread:
            return
        if self._busy:
            self.deadline = math.inf
        elif self._leaving:
            self.deadline = self._server.now + LINGER_SECONDS
        elif self._parser.reading:
            self._set_deadline(new=True)
        else:
            self.deadline = self._server.now + IDLE_SECONDS

    def _set_deadline(self, *, new: bool) -> None:
        parser = self._parser
        if parser.expected:
            if parser.expects_continue:
                parser.expects_continue = False
                self._send(_CONTINUE)
                new = True
            if new or self.deadline < self._server.now + HEAD_SECONDS:
                # one deadline a body, from its length: a trickle does not move it
                wanted = BODY_SECONDS + parser.expected / BYTES_PER_SECOND
                self.deadline = self._server.now + wanted
                parser.expected = 0
        elif new:
            self.deadline = self._server.now + HEAD_SECONDS

    def _pump(self) -> None:
        """Begin what waits, one after the other: answers keep the order of the requests."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._queue and not (self._busy or self._unread or self._transport is None):
                waiting = self._queue.popleft()
                if len(self._queue) == MAX_PIPELINED - 1:
                    self._transport.resume_reading()
                self._busy = True
                self._body = len(waiting[1])
                self.deadline = math.inf
                self._server.take(self, waiting)
        finally:
            self._pumping = False

    def answer(self, content: bytes, *, keep_alive: bool) -> None:
        """Send an answer and go on to the next request, or to the end."""
        self._busy = False
        if self._transport is None:
            return
        self._give_back(self._body)
        self._send(content)
        if keep_alive and (self._queue or not self._parser.deaf):
            self._rest()
            self._pump()
            return
        self._queue.clear()
        if self._parser.deaf:
            # what was sent before we refused it is read and dropped, or a reset eats the answer
            self._leaving = True
            self._rest()
            if self._transport.can_write_eof():
                self._transport.write_eof()
        else:
            self._transport.close()

    def _send(self, content: bytes) -> None:
        if self._transport is not None:
            self._transport.write(content)

    def _reserve(self, count: int) -> bool:
        if not self._server.reserve(count):
            return False
        self._reserved += count
        return True

    def _give_back(self, count: int) -> None:
        self._server.release(count)
        self._reserved -= count

    # what the server calls

    def overdue(self) -> None:
        """Refuse a request that does not come; end everything else.

        Who keeps a connection for later is told its end: a browser that was cut off shows a fault.
        """
        if self._transport is None:
            return
        if self._parser.reading and not self._unread:
            self._queue.extend(self._parser.refuse(TooSlow()))
            self._pump()
        elif self._unread or self._leaving:
            self.cut_off()
        else:
            self._transport.close()

    def cut_off(self) -> None:
        """End at once."""
        if self._transport is not None:
            self._transport.abort()

    def stop(self) -> None:
        """End now if nothing is on its way; otherwise with the next answer."""
        idle = not (self._busy or self._queue or self._parser.reading)
        if self._transport is not None and idle:
            self._transport.close()
