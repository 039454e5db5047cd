"""The spool: batches of events, durable before they are stored.

``home/spool/<process>/<number>.spool`` is written under another name, fsynced, then renamed:
a file with that name is whole. The writer removes the batch and, where its name says that
somebody waits (``<number>w.spool``), leaves ``<number>w.receipt``.
Storing a batch twice (a crash in between) adds nothing, since ids are known.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from detectors.errors import LogStoreUnavailable, SpoolFull
from secops.adapters.disk import make_folder, sync_folder, write_durably
from secops.kernel.logs import AppendResult, LogEvent

_CRC: Final = 4
_SPOOL: Final = ".spool"
_RECEIPT: Final = ".receipt"
_WAITS: Final = "w"
LIMIT: Final = 256 << 20
"""Bytes that may wait in the spool: about a minute of what the writer stores."""
MAX_WAITING: Final = 4_096
"""Batches that may wait."""
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Spooled:
    """A batch that waits. ``events`` is None for a file that is not what was written."""

    path: Path
    events: list[LogEvent] | None


class Spool:
    """This process's part of the spool, and (for the writer) a look at everybody's.

    The process's folder is made at its first batch, under a name nobody has: after a fork,
    and where a dead process with the same pid has left something, it is another one.
    """

    def __init__(self, folder: Path, process: str, limit: int = LIMIT) -> None:
        self._root = folder
        self._limit = limit
        self._looked = 0.0
        self._is_full = False
        self._process = process
        self._folder: Path | None = None
        self._pid = 0
        self._next = 0
        self._lock = threading.Lock()

    def offer(self, events: Sequence[LogEvent], *, waits: bool = False) -> int:
        """Make ``events`` durable and return the batch's number; ``waits`` asks for a receipt.

        Raises ``LogStoreUnavailable`` where that fails: then nothing was taken.
        """
        try:
            with self._lock:
                folder = self._own_folder()
                self._next += 1
                number = self._next
            path = folder / f"{number:012d}{_WAITS if waits else ''}{_SPOOL}"
            write_durably(path, encode_events(events))
        except OSError as error:
            msg = f"spooling failed: {error.strerror}"
            raise LogStoreUnavailable(msg) from error
        return number

    def require_room(self) -> None:
        """Raise ``SpoolFull`` where more waits, of all processes, than may."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked, self._is_full = now, self._overflows()
        if self._is_full:
            msg = f"{self._limit >> 20} MiB or {MAX_WAITING} batches wait to be stored"
            raise SpoolFull(msg, retry_after=1)

    def _overflows(self) -> bool:
        size = count = 0
        for path in self._root.glob(f"*/[0-9]*{_SPOOL}"):
            with contextlib.suppress(FileNotFoundError):
                size += path.stat().st_size
                count += 1
        return size >= self._limit or count >= MAX_WAITING

    def receipt(self, number: int) -> AppendResult | None:
        """Return (once) what became of batch ``number``; None while it waits."""
        with self._lock:
            path = self._own_folder() / f"{number:012d}{_WAITS}{_RECEIPT}"
        try:
            written = orjson.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        path.unlink()
        return AppendResult(**written)

    def waiting(self, limit: int) -> Iterator[Spooled]:
        """Yield up to ``limit`` batches of all processes; each process's are in order."""
        paths = sorted(self._root.glob(f"*/*{_SPOOL}"))
        for path in paths[:limit]:
            if not path.name.startswith("."):
                yield Spooled(path, decode_events(path.read_bytes()))

    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        return next(self._root.glob(f"*/[0-9]*{_SPOOL}"), None) is None

    def answer(self, path: Path, result: AppendResult) -> None:
        """Remove a stored batch; leave the receipt first where somebody waits."""
        if path.stem.endswith(_WAITS):
            temporary = path.with_suffix(".answer")
            temporary.write_bytes(orjson.dumps(asdict(result)))
            temporary.replace(path.with_suffix(_RECEIPT))
        path.unlink()

    def set_aside(self, path: Path) -> Path:
        """Move a damaged batch to ``spool/damaged`` and return its new place."""
        folder = self._root / "damaged"
        make_folder(folder)
        target = folder / f"{path.parent.name}-{path.stem}.bad"
        path.replace(target)
        return target

    def close(self) -> None:
        """Remove this process's folder if nothing waits in it."""
        with self._lock:
            folder, self._folder = self._folder, None
            if folder is None or self._pid != os.getpid() or any(folder.glob(f"*{_SPOOL}")):
                return
            for leftover in folder.iterdir():
                leftover.unlink()
            folder.rmdir()

    def _own_folder(self) -> Path:
        if self._folder is None or self._pid != os.getpid():
            make_folder(self._root)
            self._pid, self._next = os.getpid(), 0
            self._folder = self._fresh_folder()
            sync_folder(self._root)
        return self._folder

    def _fresh_folder(self) -> Path:
        for number in itertools.count():
            folder = self._root / f"{self._process}-{self._pid}-{number}"
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return folder
        raise AssertionError


def encode_events(events: Sequence[LogEvent]) -> bytes:
    """Return ``events`` as bytes with a checksum in front."""
    rows = [
        (e.id, e.source, e.at, e.ingested, dict(e.fields), e.raw.decode("latin-1")) for e in events
    ]
    body = orjson.dumps(rows)
    return zlib.crc32(body).to_bytes(_CRC, "big") + body


def decode_events(content: bytes) -> list[LogEvent] | None:
    """Return what ``encode_events`` wrote; None if it is damaged."""
    body = content[_CRC:]
    if int.from_bytes(content[:_CRC], "big") != zlib.crc32(body):
        return None
    rows: list[Any] = orjson.loads(body)
    return [
        LogEvent(
            identifier,
            source,
            at,
            ingested,
            {
                name: value if value.__class__ is str else tuple(value)
                for name, value in fields.items()
            },
            raw.encode("latin-1"),
        )
        for identifier, source, at, ingested, fields, raw in rows
    ]
