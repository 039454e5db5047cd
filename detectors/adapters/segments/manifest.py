"""The manifest: which segments there are. An append-only file, one fsynced line a change.

A line is ``crc32 SP json LF``. A torn last line was never acknowledged and is cut off; a bad
line before good ones is damage. Readers follow the file as it grows and start anew when it
was rewritten (another inode).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from detectors.errors import SegmentDamaged
from secops.adapters.disk import make_folder, sync_folder, write_durably

_CRC: Final = 8
_REWRITE_AFTER: Final = 4_000


@dataclass(frozen=True, slots=True)
class SourceCount:
    """What a part holds of one source; times are UTC microseconds."""

    events: int
    first_at: int
    last_at: int
    last_ingested: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """What a part holds of one UTC day; ``last_ingested`` is UTC microseconds."""

    rows: int
    last_ingested: int


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file: the rows of a segment whose ``@timestamp`` is on one of ``days``.

    Days are whole: all of a segment's rows of a day are in one part. Keys of ``days`` are
    days since 1970 in decimal; small days share a part.
    """

    file: str
    days: Mapping[str, DayCount]
    rows: int
    size: int
    first_seq: int
    last_seq: int
    first_at: int
    last_at: int
    last_ingested: int
    sha256: str
    sm3: str
    sources: Mapping[str, SourceCount]


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows with first_seq <= seq <= last_seq, in parts by days. ``ids`` names the id index."""

    name: str
    first_seq: int
    last_seq: int
    ids: str
    parts: tuple[Part, ...]
    sha256: str
    sm3: str
    replaces: int = 0

    @property
    def rows(self) -> int:
        """How many rows are left in it."""
        return sum(part.rows for part in self.parts)


@dataclass(slots=True)
class State:
    """What the manifest says now: segments by first seq; ``pending`` wait for the ledger."""

    last_seq: int = 0
    commits: int = 0
    segments: dict[str, Segment] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)

    def ordered(self) -> list[Segment]:
        """Return the segments in ingest order."""
        return sorted(self.segments.values(), key=lambda segment: segment.first_seq)

    def apply(self, change: Mapping[str, Any]) -> None:
        """Make one line's change."""
        self.commits = change["n"]
        self.last_seq = max(self.last_seq, change.get("last_seq", 0))
        for name in change.get("remove", ()):
            self.segments.pop(name, None)
            self.pending.discard(name)
        for written in change.get("add", ()):
            segment = _segment(written)
            self.segments[segment.name] = segment
            if not change.get("snapshot"):
                self.pending.add(segment.name)
        self.pending |= set(change.get("pending", ()))
        self.pending -= set(change.get("closed", ()))


class Manifest:
    """Reads and (under the writer's lock) writes the manifest in ``folder``."""

    def __init__(self, folder: Path, rewrite_after: int = _REWRITE_AFTER) -> None:
        self._rewrite_after = rewrite_after
        self._path = folder / "manifest"
        self._state = State()
        self._inode = -1
        self._offset = 0
        self._lines = 0

    def read(self) -> State:
        """Return the state after following the file; a torn end is left alone."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._forget(-1)
            return self._state
        if status.st_ino != self._inode or status.st_size < self._offset:
            self._forget(status.st_ino)
        if status.st_size > self._offset:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                self._follow(stream.read())
        return self._state

    def commit(self, change: dict[str, Any]) -> State:
        """Append ``change`` durably and return the new state; only under the lock."""
        state = self.read()
        change = {"n": state.commits + 1, **change}
        line = _line(change)
        make_folder(self._path.parent)
        is_new = not self._path.exists()
        with self._path.open("r+b" if not is_new else "wb") as stream:
            stream.truncate(self._offset)  # a torn end of a writer that died
            stream.seek(self._offset)
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
            if is_new:
                self._inode = os.fstat(stream.fileno()).st_ino
        if is_new:
            sync_folder(self._path.parent)
        self._offset += len(line)
        self._lines += 1
        state.apply(change)
        if self._lines > max(self._rewrite_after, 4 * len(state.segments)):
            self._rewrite()
        return state

    def _forget(self, inode: int) -> None:
        self._state = State()
        self._inode = inode
        self._offset = 0
        self._lines = 0

    def _follow(self, content: bytes) -> None:
        begin = 0
        while (end := content.find(b"\n", begin)) >= 0:
            change = _change(content[begin:end])
            if change is None:
                if content.find(b"\n", end + 1) >= 0:
                    msg = f"line {self._lines + 1} of the manifest"
                    raise SegmentDamaged(msg, file=str(self._path))
                return
            self._state.apply(change)
            self._offset += end + 1 - begin
            self._lines += 1
            begin = end + 1

    def _rewrite(self) -> None:
        state = self._state
        line = _line(
            {
                "n": state.commits,
                "last_seq": state.last_seq,
                "snapshot": True,
                "add": [as_record(segment) for segment in state.ordered()],
                "pending": sorted(state.pending),
            }
        )
        write_durably(self._path, line)
        self._inode = self._path.stat().st_ino
        self._offset = len(line)
        self._lines = 1


def as_record(segment: Segment) -> dict[str, Any]:
    """Return ``segment`` as it stands in a line."""
    return asdict(segment)


def segment_of(name: str, parts: Iterable[Part], ids: str, bounds: tuple[int, int]) -> Segment:
    """Return a new segment; its digests are those of its parts or of their list."""
    listed = tuple(parts)
    if len(listed) == 1:
        digests = (listed[0].sha256, listed[0].sm3)
    else:
        from secops.crypto.hashes import sha256, sm3  # noqa: PLC0415 - crypto loads engines

        listing = orjson.dumps([[part.file, part.sha256, part.sm3] for part in listed])
        digests = (sha256(listing).hex(), sm3(listing).hex())
    return Segment(name, bounds[0], bounds[1], ids, listed, digests[0], digests[1])


def _segment(written: Mapping[str, Any]) -> Segment:
    parts = tuple(_part(part) for part in written["parts"])
    return Segment(**{**written, "parts": parts})


def _part(written: Mapping[str, Any]) -> Part:
    days = {day: DayCount(**count) for day, count in written["days"].items()}
    sources = {name: SourceCount(**count) for name, count in written["sources"].items()}
    return Part(**{**written, "days": days, "sources": sources})


def _line(change: Mapping[str, Any]) -> bytes:
    body = orjson.dumps(change)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _change(line: bytes) -> dict[str, Any] | None:
    body = line[_CRC + 1 :]
    try:
        if int(line[:_CRC], 16) != zlib.crc32(body):
            return None
        change: dict[str, Any] = orjson.loads(body)
    except ValueError:
        return None
    return change
