"""The loop of one worker: listeners, requests to their lanes, deadlines, and the end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import uvloop

from secops.kernel.errors import SecopsError
from secops.kernel.trail import QueuedTrail
from secops.kernel.waiting import MustWait, without_waiting
from secops.web.lanes import FastLane
from secops.web.messages import Request, Response
from secops.web.routes import Route
from secops.web.server.client_certificates import Vouching, ask_for_certificates
from secops.web.server.commits import GroupCommit
from secops.web.server.connection import Connection
from secops.web.server.fast import FastAnswers
from secops.web.server.heads import Found, Head, ending, environ_of, status_and_headers
from secops.web.server.known import Waiting
from secops.web.server.slow import run_wsgi

_LOG: Final = logging.getLogger("secops.web")
BACKLOG: Final = 1_024
MAX_CONNECTIONS: Final = 4_096
MAX_HELD: Final = 256 << 20
"""Bytes of bodies that are held in memory together."""
GRACE_SECONDS: Final = 8.0
LARGEST_ON_LOOP: Final = 4_096
"""Bytes of a body whose work can't hold the loop up; a larger batch goes to a thread."""
_TICK: Final = 0.5
_HANDSHAKE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how one worker serves. ``shared``: other workers listen on the same port."""

    addresses: tuple[str, ...]
    port: int
    threads: int
    shared: bool = False
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    vouching: Vouching | None = None


class HttpServer:
    """One worker. Everything but ``_in_thread`` runs on the loop."""

    def __init__(self, application: FastLane, trail: QueuedTrail, listening: Listening) -> None:
        self._application = application
        self._listening = listening
        self.answers = FastAnswers(application.lane, application.routes)
        self._dispatcher = self.answers.dispatcher
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._commits = GroupCommit(self._loop, trail)
        self._threads = ThreadPoolExecutor(listening.threads, thread_name_prefix="request")
        self._connections: set[Connection] = set()
        self._held = 0
        self._server_name = ("localhost", listening.port, "https" if listening.tls_cert else "http")
        self.now = self._loop.time()
        self.stopping = False

    # the worker's life

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then finish what was begun."""
        asyncio.set_event_loop(self._loop)
        try:
            listeners = self._loop.run_until_complete(self._listen())
            stop = self._loop.create_future()
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, _finish, stop)
            without_waiting(partial(self._loop.run_until_complete, self._serve(stop)))
            for listener in listeners:
                listener.close()
            without_waiting(partial(self._loop.run_until_complete, self._end()))
        finally:
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._loop.close()

    async def _listen(self) -> Sequence[asyncio.Server]:
        context = tls_context(self._listening)
        return [
            await self._loop.create_server(
                partial(Connection, self),
                sock=bound_socket(address, self._listening.port, shared=self._listening.shared),
                backlog=BACKLOG,
                ssl=context,
                ssl_handshake_timeout=None if context is None else _HANDSHAKE_SECONDS,
            )
            for address in self._listening.addresses
        ]

    async def _serve(self, stop: asyncio.Future[None]) -> None:
        while not stop.done():
            await asyncio.wait((stop,), timeout=_TICK)
            self._look_at_deadlines()

    def _look_at_deadlines(self) -> None:
        self.now = self._loop.time()
        self.answers.heads.forget(self.now)
        self._commits.refuse_overdue(self.now)
        for connection in [each for each in self._connections if each.deadline < self.now]:
            connection.overdue()

    async def _end(self) -> None:
        """Let requests finish; who is still there after the grace is cut off."""
        self.stopping = True
        until = self._loop.time() + GRACE_SECONDS
        for connection in list(self._connections):
            connection.stop()
        while self._connections and self._loop.time() < until:
            await asyncio.sleep(_TICK / 10)
            self._look_at_deadlines()
            for connection in list(self._connections):
                connection.stop()
        for connection in list(self._connections):
            connection.cut_off()
        await asyncio.sleep(0)

    # what connections ask

    def opened(self, connection: Connection) -> bool:
        """Count the connection in; False if there are too many."""
        self._connections.add(connection)
        return len(self._connections) <= MAX_CONNECTIONS and not self.stopping

    def closed(self, connection: Connection) -> None:
        """Count the connection out."""
        self._connections.discard(connection)

    def reserve(self, count: int) -> bool:
        """Reserve memory for a body; False if too many bodies are held already."""
        if self._held + count > MAX_HELD:
            return False
        self._held += count
        return True

    def release(self, count: int) -> None:
        """Give reserved memory back."""
        self._held -= count

    def take(self, connection: Connection, waiting: Waiting) -> None:
        """Answer a request, now or later."""
        head, body, found, error = waiting
        if error is not None:
            form = "problem" if found is None else found[0].form
            self._send(connection, head, self.answers.refusal(error, head, form))
        elif found is None:
            self._run(connection, head, partial(self._slowly, connection, head, body))
        else:
            self._take_fast(connection, head, body, found)

    def _take_fast(self, connection: Connection, head: Head, body: bytes, found: Found) -> None:
        route = found[0]
        try:
            request = self.answers.request_of(head, body, connection.remote, found)
        except SecopsError as error:
            self._send(connection, head, self.answers.refusal(error, head, route.form))
            return
        if len(body) > LARGEST_ON_LOOP:
            self._in_thread(connection, head, request, route)
            return
        try:
            response = self._dispatcher.decide(request, route)
        except MustWait:
            self._in_thread(connection, head, request, route)
            return
        if not response.acts:
            self._send_fast(connection, head, request, response)
            return

        def conclude(error: SecopsError | None) -> None:
            final = response
            if error is not None:
                final = self._dispatcher.unrecorded(response, error, request, route)
            self._send_fast(connection, head, request, final)

        self._commits.add(response.acts, conclude)

    def _in_thread(
        self, connection: Connection, head: Head, request: Request, route: Route
    ) -> None:
        self._run(connection, head, partial(self._dispatcher.answer, request, route))

    def _slowly(self, connection: Connection, head: Head, body: bytes) -> Response:
        environ = environ_of(head, body, connection.remote, self._server_name)
        vouching, origins = self._listening.vouching, self._application.lane.reader.origins
        # a proxy's connection carries many people: what it proved is the proxy's own, and what
        # it says of a certificate is signed or counts for nothing
        if vouching is not None and not origins.trusts(connection.remote):
            vouching.vouch(environ, connection.certificate)
        return run_wsgi(self._application.slow, environ)

    def _run(self, connection: Connection, head: Head, work: Callable[[], Response]) -> None:
        """Answer with what ``work`` returns, in a thread."""

        def done(future: Future[Response]) -> None:
            self._loop.call_soon_threadsafe(self._ran, connection, head, future)

        self._threads.submit(work).add_done_callback(done)

    def _ran(self, connection: Connection, head: Head, future: Future[Response]) -> None:
        error = future.exception()
        if error is None:
            self._send(connection, head, future.result())
            return
        _LOG.error("%s %s failed: %s", head.method, head.path, type(error).__name__)
        self._send(connection, head, self.answers.refusal(SecopsError(), head))

    def _send_fast(
        self, connection: Connection, head: Head, request: Request, response: Response
    ) -> None:
        keep_alive = head.keep_alive and not self.stopping
        try:
            content = self.answers.bytes_of(response, request, keep_alive=keep_alive)
        except ValueError:
            self._send(connection, head, self.answers.refusal(SecopsError(), head))
            return
        connection.answer(content, keep_alive=keep_alive)

    def _send(self, connection: Connection, head: Head, response: Response) -> None:
        keep_alive = head.keep_alive and not self.stopping
        try:
            top = status_and_headers(response.status, response.headers)
        except ValueError:
            _LOG.exception("%s %s: the answer can't be sent", head.method, head.path)
            response = self.answers.refusal(SecopsError(), head)
            top = status_and_headers(response.status, response.headers)
        rest = ending(response.status, response.body, method=head.method, keep_alive=keep_alive)
        connection.answer(top + rest, keep_alive=keep_alive)


def _finish(stop: asyncio.Future[None]) -> None:
    if not stop.done():
        stop.set_result(None)


def bound_socket(address: str, port: int, *, shared: bool) -> socket.socket:
    """Return a socket bound to ``address``; ``shared`` lets other workers bind it too."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    made.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return made


def tls_context(listening: Listening) -> ssl.SSLContext | None:
    """Return the server's TLS (1.2 or newer), None where none is configured."""
    if not listening.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(listening.tls_cert, listening.tls_key)
    if listening.tls_client_ca:
        ask_for_certificates(context, listening.tls_client_ca)
    return context


def serve(
    application: FastLane,
    trail: QueuedTrail,
    listening: Listening,
) -> None:
    """Serve until a signal asks to stop."""
    HttpServer(application, trail, listening).run()
