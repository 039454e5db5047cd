"""Heads that came before: a client that keeps its connection sends the same one again and again.

What a head means depends on nothing but its bytes, so what was read once is looked up. That is
done only where a request begins and is whole; everything else goes through the parser.
"""

from __future__ import annotations

from typing import Final

from secops.kernel.errors import SecopsError
from secops.web.server.heads import Found, Head

LONGEST: Final = 4_096
MOST: Final = 1_024
KEPT_SECONDS: Final = 10.0
"""Heads hold credentials, so none is kept for long."""
_END: Final = b"\r\n\r\n"

Waiting = tuple[Head, bytes, Found | None, SecopsError | None]
"""A request whose turn has not come: with its error if it is refused at the wire."""


class KnownHeads:
    """Heads of fast routes by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Head, int, Found]] = {}
        self._since = 0.0

    def whole(self, data: bytes) -> Waiting | None:
        """Return the request that ``data`` is, if its head is known and nothing else comes."""
        end = data.find(_END) + len(_END)
        known = self._known.get(data[:end])
        if known is None:
            return None
        head, length, found = known
        if len(data) - end != length:
            return None
        return head, data[end:], found, None

    def learn(self, data: bytes, request: Waiting) -> None:
        """Remember the head of a ``request`` that the parser found to be all of ``data``."""
        head, body, found, error = request
        end = len(data) - len(body)
        plain = head.keep_alive and "expect" not in head.headers
        if found is None or error is not None or not plain or end > LONGEST:
            return
        if data.find(_END) + len(_END) != end:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[data[:end]] = (head, len(body), found)

    def forget(self, now: float) -> None:
        """Forget all that was learnt before the last ten seconds."""
        if now - self._since > KEPT_SECONDS:
            self._known.clear()
            self._since = now
