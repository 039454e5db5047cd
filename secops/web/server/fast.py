"""Fast routes on the loop: from a head and a body to an answer's bytes, without Flask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from secops.kernel.errors import SecopsError
from secops.web.dispatch import Dispatcher
from secops.web.headers import secure
from secops.web.lanes import Lane, RouteTable
from secops.web.messages import Request, Response
from secops.web.problems import problem_response
from secops.web.routes import Form, Route
from secops.web.server.heads import Found, Head, ending, status_and_headers
from secops.web.server.known import KnownHeads
from secops.web.wsgi import check_headers

_MAX_TOPS: Final = 2_000
_TOKENS: Final = 256
_TOKEN_TEXT: Final = 16

_HeadKey = tuple[int, Sequence[tuple[str, str]], str]


class FastAnswers:
    """What the loop asks: which route, which request, which bytes."""

    def __init__(self, lane: Lane, routes: Iterable[Route]) -> None:
        routes = tuple(routes)
        self.dispatcher: Dispatcher = lane.dispatcher
        self._reader = lane.reader
        self._fast = RouteTable(route for route in routes if route.fast)
        self._all = RouteTable(routes)
        self.heads = KnownHeads()
        self._tops: dict[_HeadKey, bytes] = {}
        self._tokens = ""

    def find(self, method: str, path: str) -> Found | None:
        """Return the fast route for a path."""
        return self._fast.find(method, path)

    def body_limit(self, method: str, path: str, otherwise: int) -> int:
        """Return how many bytes of a body any route for this path would read."""
        found = self._all.find(method, path)
        return otherwise if found is None else found[0].max_body

    def request_of(self, head: Head, body: bytes, remote: str, found: Found) -> Request:
        """Return the request; raise ``Invalid`` as the slow lane would."""
        headers = head.headers
        check_headers(headers)
        remote, origin = self._reader.caller(remote, headers, proxied=found[0].proxied)
        return Request(  # by position, since this is made for each request
            head.method,
            head.path,
            head.query_string,
            headers,
            body,
            found[1],
            remote,
            origin,
            self._request_id(),
            "",
            None,
            head.target,
        )

    def refusal(self, error: SecopsError, head: Head, form: Form = "problem") -> Response:
        """Return how ``error`` is answered where there is no request to speak of."""
        bare = self._reader.bare(head.method, head.path, head.headers)
        return secure(problem_response(error, bare, form), bare)

    def bytes_of(self, response: Response, request: Request, *, keep_alive: bool) -> bytes:
        """Return the answer to a fast request with the headers that every answer has.

        The part of the head that repeats from answer to answer is made once.
        """
        headers = tuple(response.headers)
        scheme = request.origin.partition(":")[0]
        key = (response.status, headers, scheme)
        head = self._tops.get(key)
        if head is None:
            whole = secure(Response(response.status, headers), request).headers
            kept = [pair for pair in whole if pair[0] != "x-request-id"]
            head = status_and_headers(response.status, kept)
            if len(self._tops) >= _MAX_TOPS:
                self._tops.clear()
            self._tops[key] = head
        method = request.method
        rest = ending(response.status, response.body, method=method, keep_alive=keep_alive)
        return b"%bx-request-id: %b\r\n%b" % (head, request.request_id.encode(), rest)

    def _request_id(self) -> str:
        """Return 12 random bytes as text; many are drawn from the system at once."""
        if not self._tokens:
            self._tokens = self._reader.token(12 * _TOKENS)
        token, self._tokens = self._tokens[:_TOKEN_TEXT], self._tokens[_TOKEN_TEXT:]
        return token
