"""What the sequencer drains: durable prefixes of every process's journal, in order.

A living writer tells how far it has synced, and nothing behind that is looked at. A dead
one's files are synced once more and scanned to their end; a torn tail was never answered.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from secops.adapters.journal.frames import (
    FILE_HEADER,
    NO_LIMIT,
    Scan,
    file_id_of,
    first_running,
    next_file_id,
    scan,
)
from secops.adapters.journal.segments import (
    MAX_FILE,
    position_of,
    segment_path,
    split_position,
)
from secops.kernel.catalogue import Text
from secops.kernel.errors import SecopsError

_GONE: Final = ".gone-"


class JournalDamaged(SecopsError):
    """Acknowledged records of a journal can't be read back."""

    code = "kernel.journal_damaged"
    title = Text("审计日志文件已损坏", "A journal of the ledger is damaged")
    remedy = Text(
        "请保留该文件,与凭据核对,并调查磁盘或篡改。",
        "Keep the file, compare it with receipts, and look into the disk or tampering.",
    )


@dataclass(frozen=True, slots=True)
class JournalRecords:
    """Records after a position, and the position after them.

    ``finished`` says that the writer is gone and nothing more will come.
    """

    records: Sequence[bytes]
    next_position: int
    finished: bool


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a scan may go on: in file ``number``, whose id and running hash are known."""

    number: int
    offset: int
    file_id: bytes
    running: bytes


class JournalReader:
    """Reads the journals under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._marks: dict[str, _Mark] = {}

    def processes(self) -> list[str]:
        """Return the names of the journals that exist."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if not path.name.startswith("."))

    def is_alive(self, process: str) -> bool:
        """Tell whether the journal's writer still holds its lock."""
        try:
            descriptor = os.open(self._folder / process / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def read(self, process: str, position: int, limit: int = NO_LIMIT) -> JournalRecords:
        """Return at most ``limit`` durable records after ``position`` (0 is the beginning).

        Raises ``JournalDamaged`` when acknowledged records can't be read back.
        """
        with self._lock:
            return self._read(process, position, limit)

    def _read(self, process: str, position: int, limit: int) -> JournalRecords:
        alive = self.is_alive(process)
        until = self._durable(process) if alive else NO_LIMIT
        number, offset = split_position(position)
        records: list[bytes] = []
        while position_of(number, offset) < until:
            found = self._scan(process, (number, offset), until, limit - len(records))
            records += [frame.record for frame in found.frames]
            offset = found.end
            if found.ending == "more":
                return JournalRecords(records, position_of(number, offset), finished=False)
            if found.ending != "closed":
                break
            number, offset = number + 1, FILE_HEADER
        return JournalRecords(records, position_of(number, offset), finished=not alive)

    def discard(self, process: str, position: int) -> bool:
        """Delete the files wholly before ``position``; True if the journal itself is gone.

        It goes only when its writer is dead and nothing is left behind ``position``.
        """
        with self._lock:
            return self._discard(process, position)

    def _discard(self, process: str, position: int) -> bool:
        rest = self._read(process, position, 1)
        if rest.finished and not rest.records:
            # gone in one step: whoever is killed while deleting must not leave half a journal
            gone = self._folder / f"{_GONE}{process}"
            (self._folder / process).rename(gone)
            shutil.rmtree(gone)
            self._marks.pop(process, None)
            self._sweep()
            return True
        number, _ = split_position(position)
        for path in sorted((self._folder / process).glob("*.journal")):
            if int(path.stem) < number:
                path.unlink()
        return False

    def _sweep(self) -> None:
        """Remove what a killed reader was deleting, and what a killed writer never began."""
        for path in self._folder.glob(".*"):
            unborn = (path / "lock").exists() and not self.is_alive(path.name)
            if path.name.startswith(_GONE) or unborn:
                shutil.rmtree(path, ignore_errors=True)

    def _durable(self, process: str) -> int:
        content = (self._folder / process / "durable").read_bytes()
        return int.from_bytes(content[:8], "little")

    def _scan(self, process: str, place: tuple[int, int], until: int, limit: int) -> Scan:
        """Return the frames of one file from ``place`` = (number, offset) on."""
        number, offset = place
        dead = until == NO_LIMIT
        last, end = (NO_LIMIT, MAX_FILE) if dead else split_position(until)
        path = segment_path(self._folder / process, number)
        data = self._content(path, end if number == last else MAX_FILE, dead=dead)
        file_id = None if data is None else file_id_of(data)
        if data is None or file_id is None:
            # a file is durable before the closing frame of the one before it names it
            raise JournalDamaged(f"{path} is missing, or has no header")
        mark = self._mark(process, number, offset, data, file_id)
        found = scan(data, offset, file_id=file_id, running=mark.running, limit=limit)
        complete = found.ending in ("closed", "more") or found.end == len(data)
        if found.ending == "corrupt" or not (dead or complete):
            # of a living writer's file all that was asked for is durable, so it must be there
            raise JournalDamaged(f"{path} can't be read after {found.end}")
        self._keep(process, number, found, data, file_id)
        return found

    @staticmethod
    def _content(path: Path, end: int, *, dead: bool) -> bytes | None:
        with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
            if dead:
                # what its writer had not synced any more becomes durable before it counts
                os.fdatasync(stream.fileno())
            return stream.read(end)
        return None

    def _mark(self, process: str, number: int, offset: int, data: bytes, file_id: bytes) -> _Mark:
        """Return the running hash at ``offset``: remembered, or found from the beginning."""
        mark = self._marks.get(process)
        if mark is not None and mark.number == number and mark.file_id != file_id:
            raise JournalDamaged(f"{process}: a file was exchanged")
        if mark is not None and (mark.number, mark.offset) == (number, offset):
            return mark
        first = _Mark(number, FILE_HEADER, file_id, first_running(file_id))
        if offset == FILE_HEADER:
            return first
        found = scan(data[:offset], FILE_HEADER, file_id=file_id, running=first.running)
        if found.end != offset:
            raise JournalDamaged(f"{process}: nothing ends at {offset}")
        return _Mark(number, offset, file_id, found.running)

    def _keep(self, process: str, number: int, found: Scan, data: bytes, file_id: bytes) -> None:
        if found.ending == "closed":
            following = next_file_id(data, found.end)
            running = first_running(following)
            self._marks[process] = _Mark(number + 1, FILE_HEADER, following, running)
        else:
            self._marks[process] = _Mark(number, found.end, file_id, found.running)
