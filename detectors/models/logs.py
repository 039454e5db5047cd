"""What the log use cases are asked and answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How files are read. ``source`` None is each file's base name."""

    source: str | None = None
    format: str = "auto"
    timezone: str | None = None
    year: int | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of the lines: ``read`` is the sum of stored, duplicates and rejected."""

    read: int
    stored: int
    duplicates: int
    rejected: int
    seconds: float
    rejects_file: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a batch that was sent: durable, and stored by the writer soon."""

    accepted: int
    rejected: int
    rejects_file: str | None


@dataclass(frozen=True, slots=True)
class LogSource:
    """One log of one machine. ``follow`` keeps reading ``path`` as it grows.

    ``masks`` replaces ID-card and phone numbers before anything is stored; times are UTC
    microseconds. ``peers`` are the addresses and networks, separated by commas, from which its
    syslog comes, ``hosts`` the names in the lines that tell apart what one relay forwards.
    ``expected_silence`` is how many seconds it may say nothing; None: as long as it likes.
    """

    name: str
    org_id: str
    format: str
    timezone: str
    path: str | None = None
    encoding: str | None = None
    follow: bool = False
    created_at: int = 0
    created_by: str = ""
    owner: str = ""
    expected_silence: int | None = None
    peers: str = ""
    hosts: str = ""


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """What is to be changed of a source, by the names of its fields."""

    values: Mapping[str, str | int | bool | None]

    def of(self, source: LogSource) -> LogSource:
        """Return ``source`` changed; its name and history can't be."""
        return replace(source, **self.values)  # type: ignore[arg-type]


CHANGEABLE: Final = {
    "format": str,
    "timezone": str,
    "encoding": str,
    "path": str,
    "follow": bool,
    "owner": str,
    "expected_silence": int,
    "peers": str,
    "hosts": str,
}
"""The fields of a source that people write, and their types; texts may be null in a change."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a source fares. ``rate`` is events a minute, ``lag`` seconds from event to arrival.

    ``rejected`` lines could not be read, ``dropped`` ones not be taken (UDP). ``silent_since``
    is the last arrival before a silence that is longer than expected, and ``alert_id`` names
    the alert that it raised.
    """

    org_id: str
    source: str
    events: int = 0
    last_at: int | None = None
    last_ingested: int | None = None
    rate: float = 0.0
    lag: float = 0.0
    rejected: int = 0
    dropped: int = 0
    checked_at: int = 0
    silent_since: int | None = None
    alert_id: str | None = None


@dataclass(frozen=True, slots=True)
class FileView:
    """A file to be read. ``modified`` is its mtime, UTC microseconds; ``chunks`` its bytes."""

    name: str
    path: str
    size: int
    modified: int
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class TailPosition:
    """Where following stands: ``offset`` in a file, the next line is ``index``.

    The file is the one that begins with ``head_length`` bytes whose SHA-256 is ``head``: an
    inode is given to another file, a copy has another one (of the ledger: ``head`` is the last
    record's). ``generation`` counts the files of this stream, ``modified`` is the mtime of the
    last one (nanoseconds). ``skipping`` says that a line too long to be read is being passed over.
    """

    inode: int = 0
    offset: int = 0
    index: int = 0
    skipping: bool = False
    head: str = ""
    head_length: int = 0
    generation: int = 0
    modified: int = 0


@dataclass(frozen=True, slots=True)
class TailPiece:
    """What is new in a followed file: whole lines, and the ``position`` after them.

    ``modified`` is the file's mtime, UTC microseconds; ``more`` says that more waits; ``grows``
    that the file may still grow: what isn't whole at its end may become so.
    """

    content: bytes
    first_index: int
    first_offset: int
    position: TailPosition
    more: bool
    modified: int
    grows: bool = True


@dataclass(frozen=True, slots=True)
class SegmentCheck:
    """A segment's digests as its files are now; ``problem`` names a file that was changed."""

    name: str
    events: int
    sha256: str
    sm3: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class SegmentsVerdict:
    """What the check of all segments found; ``waiting`` is not in the ledger yet."""

    valid: bool
    segments: int
    events: int
    bad: tuple[tuple[str, str], ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """Row groups of a file of stored events; ``last`` is where its segment ends, if it ends it.

    The rows asked for are those with first_seq <= seq <= last_seq, of ``rows`` at most.
    """

    file: str
    groups: tuple[int, ...]
    first_seq: int
    last_seq: int
    last: int | None
    rows: int
