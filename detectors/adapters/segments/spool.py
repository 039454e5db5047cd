"""The spool: batches of events, durable before they are stored.

``home/spool/<process>/<number>.spool`` is written under another name, fsynced, then renamed:
a file with that name is whole. The writer removes the batch and, where its name says that
somebody waits (``<number>w.spool``), leaves ``<number>w.receipt``.
Storing a batch twice (a crash in between) adds nothing, since ids are known.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from detectors.adapters.segments.files import make_folder, write_durably
from secops.kernel.logs import AppendResult, LogEvent

_CRC: Final = 4
_SPOOL: Final = ".spool"
_RECEIPT: Final = ".receipt"
_WAITS: Final = "w"


@dataclass(frozen=True, slots=True)
class Spooled:
    """A batch that waits. ``events`` is None for a file that is not what was written."""

    path: Path
    events: list[LogEvent] | None


class Spool:
    """This process's part of the spool, and (for the writer) a look at everybody's."""

    def __init__(self, folder: Path, process: str) -> None:
        self._root = folder
        self._folder = folder / process
        self._next = 0

    def offer(self, events: Sequence[LogEvent], *, waits: bool = False) -> int:
        """Make ``events`` durable and return the batch's number; ``waits`` asks for a receipt."""
        make_folder(self._folder)
        self._next += 1
        path = self._folder / f"{self._next:012d}{_WAITS if waits else ''}{_SPOOL}"
        write_durably(path, encode_events(events))
        return self._next

    def receipt(self, number: int) -> AppendResult | None:
        """Return (once) what became of batch ``number``; None while it waits."""
        path = self._folder / f"{number:012d}{_WAITS}{_RECEIPT}"
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
        if not self._folder.is_dir() or any(self._folder.glob(f"*{_SPOOL}")):
            return
        for leftover in self._folder.iterdir():
            leftover.unlink()
        self._folder.rmdir()


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


def process_name(token: str) -> str:
    """Return a name for this process's folder: its pid and a random ``token``."""
    return f"{os.getpid()}-{token}"
