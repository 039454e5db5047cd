"""Requests out of a stream of bytes (llhttp): what is too large or odd is refused at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import httptools

from secops.kernel.errors import Invalid, LengthRequired, SecopsError, TooLarge, Unavailable
from secops.web.server.fast import FastAnswers
from secops.web.server.heads import (
    MAX_HEAD,
    Found,
    Head,
    HeadTooLarge,
    add_header,
    split_target,
)
from secops.web.server.known import Waiting
from secops.web.wsgi import content_length

SMALL_BODY: Final = 65_536
"""Bytes of a body that no route is asked for."""

_LIST: Final = b"LIST "
"""Vault's clients list by this method, which llhttp does not know: read as GET, and named again,
wherever the parser itself says that a request begins."""
_CUT: Final = re.compile(rb"\r\n\r\n|\n(?=LIST |L(?:I(?:ST?)?)?\Z)")
"""Behind what a head ends, or another request begins."""
_REST_OF_CUT: Final = re.compile(rb"\r?\n")
"""The same, where the packet before ended in the midst of it."""

Reserve = Callable[[int], bool]
"""Reserves memory for a body; False if too many bodies are held already."""


class RequestParser:
    """Feeds a parser and hands out whole requests, in order.

    ``reading`` is true from a request's first byte to its last; ``expected`` is the length of
    the body that is coming, and ``expects_continue`` that the client waits to be told to send.
    """

    def __init__(self, answers: FastAnswers, reserve: Reserve) -> None:
        self._answers = answers
        self._reserve = reserve
        self._parser = httptools.HttpRequestParser(self)
        self._whole: list[Waiting] = []
        self.reading = False
        self.deaf = False
        self._last = False
        self._listing = False
        self._held = b""
        self._missing = 0
        self._fresh()

    def _fresh(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._size = 0
        self._parts: list[bytes] = []
        self._head: Head | None = None
        self._found: Found | None = None
        self._length = 0
        self._got = 0
        self.expected = 0
        self.expects_continue = False

    def feed(self, data: bytes) -> list[Waiting]:
        """Return the requests that ``data`` completes; a refusal is the last one there is."""
        if self.deaf:
            return []
        if self._missing:
            self._collect(data)
            return self._taken()
        begins = self._begins or bool(self._held)
        if begins:
            data, self._held = self._held + data, b""
            self.reading = False
            known = self._answers.heads.whole(data)
            if known is not None and self._reserve(len(known[1])):
                return [known]
        self._feed_pieces(data)
        whole = self._taken()
        if begins and len(whole) == 1 and self._begins and not self.deaf:
            self._answers.heads.learn(data, whole[0])
        return whole

    @property
    def _begins(self) -> bool:
        """Whether the next byte begins a request."""
        return not (self.reading or self._last)

    def _feed_pieces(self, data: bytes) -> None:
        """Feed ``data``, and LIST as GET where the parser has said that a request begins."""
        at = 0
        last = data.rfind(_LIST)
        if data.endswith((b"L", b"LI", b"LIS", b"LIST")):
            last = len(data)
        while at < len(data) and not self.deaf:
            end = self._end_of_piece(data, at) if at <= last else len(data)
            piece = data[at:end]
            if self._begins and data.startswith(_LIST, at):
                self._listing = True
                piece = b"GET " + piece[len(_LIST) :]
            elif self._begins and _LIST.startswith(data[at:]):
                self._held, self.reading = data[at:], True
                return
            at = end
            if self._missing:
                self._collect(piece)
            else:
                self._parse(piece)

    def _end_of_piece(self, data: bytes, at: int) -> int:
        """Return an index at or before which the request that is read, or begins, ends."""
        if self._head is not None and self.reading:
            return min(len(data), at + self._length - self._got)
        found = _REST_OF_CUT.match(data, at) or _CUT.search(data, at)
        return len(data) if found is None else found.end()

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self.refuse(cause if isinstance(cause, SecopsError) else SecopsError())
        except httptools.HttpParserUpgrade as error:
            # the request is answered as HTTP/1.1; what would follow is another protocol
            if self._head is not None:
                self._head.keep_alive = False
            if self._missing:
                self._collect(data[error.args[0] :])
            else:
                self.deaf = True
        except httptools.HttpParserError:
            self.refuse(Invalid("the request is not HTTP/1.1"))

    def _taken(self) -> list[Waiting]:
        whole, self._whole = self._whole, []
        return whole

    def refuse(self, error: SecopsError) -> list[Waiting]:
        """Hand out ``error`` as the last request, and hear no more."""
        head = self._head or Head("GET", "/", "", self._headers)
        head.keep_alive = False
        self.deaf = True
        self.reading = False
        self._whole.append((head, b"", self._found, error))
        return self._whole

    # what the parser calls

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._fresh()
        self.reading = True

    def on_url(self, part: bytes) -> None:
        """Collect the target."""
        self._size += len(part)
        if self._size > MAX_HEAD:
            raise HeadTooLarge
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._size += len(name) + len(value)
        if self._size > MAX_HEAD:
            raise HeadTooLarge
        add_header(self._headers, name, value)

    def on_headers_complete(self) -> None:
        """Decide whether the body may come."""
        method = "LIST" if self._listing else self._parser.get_method().decode("ascii")
        self._listing = False
        path, query, sent = split_target(self._target)
        headers = self._headers
        self._head = Head(method, path, query, headers, self._parser.should_keep_alive(), sent)
        self._found = self._answers.find(method, path)
        if "transfer-encoding" in headers:
            raise LengthRequired
        self.expected = self._length = content_length(headers) or 0
        if self.expected:
            self._expect(self._head)

    def on_body(self, part: bytes) -> None:
        """Collect the body: llhttp gives no more than Content-Length."""
        self._parts.append(part)
        self._got += len(part)

    def on_message_complete(self) -> None:
        """Hand the whole request out."""
        if self._head is not None and self.expected and self._parser.should_upgrade():
            # llhttp leaves the body to the other protocol; Java's client sends one with `h2c`
            self._missing, self._last = self.expected, True
            return
        self.reading = False
        if self._head is None:
            return
        self._last = not self._head.keep_alive
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._whole.append((self._head, body, self._found, None))

    def _collect(self, data: bytes) -> None:
        """Collect the body of a request whose wish for another protocol is not granted."""
        self._parts.append(data[: self._missing])
        self._missing -= len(self._parts[-1])
        if self._head is not None and not self._missing:
            self.reading, self.deaf = False, True
            self._whole.append((self._head, b"".join(self._parts), self._found, None))

    def _expect(self, head: Head) -> None:
        limit = SMALL_BODY
        if self._found is not None:
            limit = self._found[0].max_body
        elif self.expected > SMALL_BODY:
            limit = self._answers.body_limit(head.method, head.path, SMALL_BODY)
        if self.expected > limit:
            msg = f"the body is larger than {limit} bytes"
            raise TooLarge(msg)
        if not self._reserve(self.expected):
            msg = "too many large requests at once"
            raise Unavailable(msg)
        self.expects_continue = head.headers.get("expect", "").lower() == "100-continue"
