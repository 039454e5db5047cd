"""Both framings of RFC 6587, told apart message by message, in bounded memory.

Octet counting (§3.4.1) is ``MSG-LEN SP <``: a count is believed only where a priority follows,
since a line of text may begin with a number too. Everything else ends at LF (§3.4.2).
"""

from __future__ import annotations

import re
from typing import Final

_COUNT: Final = re.compile(rb"([1-9][0-9]{0,9}) <")
_BEGINNING: Final = re.compile(rb"[1-9][0-9]{0,9} ?")
_ENDS: Final = b"\r\n\x00"

Frame = tuple[bytes, bool]
"""A message without its frame, and whether it was cut at the limit."""


class FrameCutter:
    """Cuts one connection's bytes; a message longer than ``limit`` bytes keeps its beginning."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._skip_octets = 0
        self._skips_line = False

    def feed(self, content: bytes) -> list[Frame]:
        """Return the messages that are whole now."""
        self._buffer += content
        frames: list[Frame] = []
        position = 0
        while position < len(self._buffer):
            following = self._step(position, frames)
            if following == position:
                break
            position = following
        del self._buffer[:position]
        return frames

    def end(self) -> list[Frame]:
        """Return the rest at the end of the connection: a last line without LF counts."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        if self._skips_line or not rest.strip(_ENDS):
            return []
        count = _COUNT.match(rest)
        if count is not None:
            return [(rest[count.end() - 1 :][: self._limit], True)]
        return [(rest.rstrip(_ENDS)[: self._limit], len(rest) > self._limit)]

    def _step(self, position: int, frames: list[Frame]) -> int:
        """Take one message, or what is to be skipped; return ``position`` to wait for more."""
        buffer = self._buffer
        if self._skip_octets:
            skipped = min(self._skip_octets, len(buffer) - position)
            self._skip_octets -= skipped
            return position + skipped
        if not self._skips_line:
            count = _COUNT.match(buffer, position)
            if count is not None:
                return self._counted(int(count[1]), count.end() - 1, position, frames)
            if _BEGINNING.fullmatch(buffer, position):
                return position
        return self._line(position, frames)

    def _counted(self, length: int, begin: int, position: int, frames: list[Frame]) -> int:
        kept = min(length, self._limit)
        if len(self._buffer) - begin < kept:
            return position
        message = bytes(self._buffer[begin : begin + kept])
        if length > self._limit:
            self._skip_octets = length - kept
            frames.append((message, True))
        else:
            frames.append((message.rstrip(_ENDS), False))
        return begin + kept

    def _line(self, position: int, frames: list[Frame]) -> int:
        end = self._buffer.find(b"\n", position)
        if end < 0:
            if len(self._buffer) - position <= self._limit:
                return position if not self._skips_line else len(self._buffer)
            if not self._skips_line:
                frames.append((bytes(self._buffer[position : position + self._limit]), True))
                self._skips_line = True
            return len(self._buffer)
        if self._skips_line:
            self._skips_line = False
            return end + 1
        line = bytes(self._buffer[position:end]).rstrip(_ENDS)
        if line:
            frames.append((line[: self._limit], len(line) > self._limit))
        return end + 1
