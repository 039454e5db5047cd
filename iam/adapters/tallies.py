"""Tallies in files mapped into memory: a store survives the process, and costs no system call.

A file has two pages. Page = number u64 ‖ bytes used u64 ‖ lines; line = length u32 ‖ crc32 u32 ‖
count u64 ‖ first u64 ‖ last u64 ‖ text, padded to 8 bytes; numbers are in the machine's order. A
line counts once "bytes used" covers it, which is written last. What is written over is written by
one store of eight bytes: ``struct`` blanks its place first, and a process killed in between would
leave a zero for what it had counted. The file is filled with zeros when it is made: storing into
a hole of a full disk would kill the process. It is locked by its process while that lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import mmap
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from iam.ports.tallies import TallyLine
from secops.kernel.errors import AuditUnavailable
from secops.kernel.ids import Randomness
from secops.kernel.waiting import about_to_wait

PAGE: Final = 1 << 18
_LOG: Final = logging.getLogger("iam.decisions")
_SUFFIX: Final = ".tally"
_UNBORN: Final = ".new"
_HEAD: Final = struct.Struct("=QQ")
_LINE: Final = struct.Struct("=IIQQQ")
_COUNT_AT: Final = 8
_LAST_AT: Final = 24
_USED_AT: Final = 8
_ROUND: Final = 8


class TallyFile:
    """One file of two pages."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, 2 * PAGE)
        self._numbers = memoryview(self._map).cast("Q")
        first, second = (self._head(base)[0] for base in (0, PAGE))
        self._base = 0 if first >= second else PAGE
        self._used = self._head(self._base)[1]

    @property
    def name(self) -> str:
        """The file's name: it holds 128 random bits."""
        return self._path.stem

    @property
    def page(self) -> int:
        """The number of the open page."""
        return self._head(self._base)[0]

    def begin(self, text: bytes, count: int, at: int) -> int | None:
        """Write a new line; return where it stands, None if the page is full."""
        place = self._base + _HEAD.size + self._used
        size = _padded(_LINE.size + len(text))
        if self._used + size > PAGE - _HEAD.size:
            return None
        _LINE.pack_into(self._map, place, len(text), zlib.crc32(text), count, at, at)
        self._map[place + _LINE.size : place + _LINE.size + len(text)] = text
        self._used += size
        self._store(self._base + _USED_AT, self._used)
        return place

    def count(self, place: int, count: int, at: int) -> None:
        """Let the line at ``place`` say ``count`` and ``at``: two stores, no system call."""
        self._store(place + _COUNT_AT, count)
        self._store(place + _LAST_AT, at)

    def turn(self) -> bool:
        """Open the other page if it is blank."""
        if self._head(PAGE - self._base)[1]:
            return False
        number = self.page + 1
        self._base = PAGE - self._base
        self._used = 0
        self._store(self._base, number)
        return True

    def filled(self) -> Sequence[tuple[int, Sequence[TallyLine]]]:
        """Return the pages that hold lines, by number, the oldest first."""
        pages = sorted((self._head(base)[0], base) for base in (0, PAGE))
        found = ((number, list(self._lines(base))) for number, base in pages)
        return [(number, lines) for number, lines in found if lines]

    def blank(self, page: int) -> None:
        """Forget the page of this number."""
        for base in (0, PAGE):
            if self._head(base)[0] == page:
                self._store(base + _USED_AT, 0)
                if base == self._base:
                    self._used = 0

    def close(self, *, remove: bool) -> None:
        """Let go of it."""
        self._numbers.release()
        self._map.close()
        if remove:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
        os.close(self._descriptor)

    def _store(self, place: int, number: int) -> None:
        self._numbers[place // _ROUND] = number

    def _head(self, base: int) -> tuple[int, int]:
        number, used = _HEAD.unpack_from(self._map, base)
        return number, min(used, PAGE - _HEAD.size)

    def _lines(self, base: int) -> Iterator[TallyLine]:
        """Return what stands on a page, up to a line that was damaged."""
        place = base + _HEAD.size
        end = place + self._head(base)[1]
        while place + _LINE.size <= end:
            length, crc, count, first_at, last_at = _LINE.unpack_from(self._map, place)
            text = self._map[place + _LINE.size : place + _LINE.size + length]
            if len(text) != length or zlib.crc32(text) != crc:
                return
            yield TallyLine(text, count, first_at, max(first_at, last_at))
            place += _padded(_LINE.size + length)


class TallyFolder:
    """The files of all processes in one folder."""

    def __init__(self, folder: Path, randomness: Randomness) -> None:
        self._folder = folder
        self._randomness = randomness
        self._lock = threading.Lock()

    def open(self) -> TallyFile:
        """Make a file of this process; raise ``AuditUnavailable``."""
        about_to_wait()
        try:
            while True:
                name = f"{os.getpid()}-{self._randomness.bytes(16).hex()}{_SUFFIX}"
                # of the same name, or taken for unfinished by who removes such
                with contextlib.suppress(FileExistsError, BlockingIOError):
                    return self._made(self._folder / name)
        except (OSError, ValueError) as error:
            msg = "decisions can't be counted: nothing is granted"
            raise AuditUnavailable(msg) from error

    def _made(self, path: Path) -> TallyFile:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            raise FileExistsError(path)
        # made under another name: a file without a lock would pass for left behind
        unborn = path.with_suffix(_UNBORN)
        descriptor = os.open(unborn, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # not a hole: what is stored later must find its place on the disk
            os.pwrite(descriptor, _HEAD.pack(1, 0).ljust(2 * PAGE, b"\0"), 0)
            made = TallyFile(path, descriptor)  # refuses what was cut short
            unborn.rename(path)
        except (OSError, ValueError):
            os.close(descriptor)
            unborn.unlink(missing_ok=True)
            raise
        return made

    def left_behind(self) -> Iterator[TallyFile]:
        """Return the files whose processes are gone, locked."""
        with self._lock:
            for path in sorted(self._folder.glob(f"*{_UNBORN}")):
                _remove_unborn(path)
            for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
                found = _take(path)
                if found is not None:
                    yield found


def _take(path: Path) -> TallyFile | None:
    """Return the file if nobody holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists():
            return TallyFile(path, descriptor)
    except BlockingIOError:
        pass  # its process lives
    except ValueError:
        _LOG.warning("%s is cut short: what it counted is lost", path.name)
    os.close(descriptor)
    return None


def _remove_unborn(path: Path) -> None:
    """Remove what a killed process did not finish making."""
    with contextlib.suppress(OSError), path.open("rb") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _padded(size: int) -> int:
    return -(-size // _ROUND) * _ROUND
