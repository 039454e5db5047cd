"""The emergency journal: restricting acts while the database can't commit.

Files preallocated while there was room, so that a revocation needs no free block. Every
process reads them (``DatabaseRevocations`` polls), appends go under a file lock, and the
next unit of work of any process first moves what waits here into the ledger. The last
folder given may lie on another disk: the first that can be written is used.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from secops.adapters.disk import make_folder, sync_folder
from secops.adapters.journal.frames import (
    FILE_HEADER,
    FRAME_HEAD,
    encode_frame,
    file_header,
    file_id_of,
    first_running,
    frame_size,
    scan,
)
from secops.kernel.errors import AuditUnavailable
from secops.kernel.ids import Randomness
from secops.kernel.trail import Act, encode_act
from secops.kernel.transactions import Restriction

CAPACITY: Final = 1 << 20
"""Bytes of one file: some 1,500 restricting acts."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One restriction that was made here; ``end`` is the position after it in its file."""

    file_id: str
    end: int
    kind: str
    identifier: str
    at: int
    record: bytes


class _File:
    """What this process knows of one emergency file."""

    def __init__(self, path: Path, file_id: bytes) -> None:
        self.path = path
        self.id = file_id
        self.position = FILE_HEADER
        self.running = first_running(file_id)
        self.entries: list[Entry] = []
        self.damaged = False

    def refresh(self) -> None:
        """Read the frames that came since."""
        data = self.path.read_bytes()
        found = scan(data, self.position, file_id=self.id, running=self.running)
        self.entries += [_entry(self.id.hex(), frame.end, frame.record) for frame in found.frames]
        self.position, self.running = found.end, found.running
        self.damaged = found.ending == "corrupt"

    def has_news(self) -> bool:
        """Tell whether a frame stands where the next is expected."""
        with self.path.open("rb") as stream:
            return any(os.pread(stream.fileno(), FRAME_HEAD, self.position))


class EmergencyJournal:
    """Appends and reads restrictions in ``folders``; shared by all processes of a home."""

    def __init__(self, folders: Sequence[Path], randomness: Randomness) -> None:
        self._folders = tuple(folders)
        self._randomness = randomness
        self._lock = threading.RLock()
        self._files: dict[Path, _File] = {}
        self._seen: dict[Path, int] = {}
        self._imported: dict[str, int] = {}

    def prepare(self) -> None:
        """Make the folders and preallocate a file in each, while there is room."""
        for folder in self._folders:
            make_folder(folder)
            with self._alone(folder):
                if not _paths(folder):
                    self._allocate(folder)

    def append(self, restriction: Restriction, at: int) -> None:
        """Make ``restriction`` durable; raise ``AuditUnavailable`` if no folder can."""
        payload = _payload(restriction.kind, restriction.id, restriction.act, at)
        for folder in self._folders:
            with self._lock, contextlib.suppress(OSError), self._alone(folder):
                self._append_to(folder, payload)
                return
        msg = "the emergency journal can't be written either"
        raise AuditUnavailable(msg)

    def waiting(self, imported: Mapping[str, int] | None = None) -> list[Entry]:
        """Return what is behind ``imported`` (default: what this process knows of that).

        Raises OSError when a folder can't be read: then nobody knows what was ended.
        """
        with self._lock:
            self._refresh()
            positions = self._imported if imported is None else imported
            return [
                entry
                for file in self._files.values()
                for entry in file.entries
                if entry.end > positions.get(entry.file_id, 0)
            ]

    def mark_imported(self, positions: Mapping[str, int]) -> None:
        """Take over from the database how much of each file is in the ledger."""
        with self._lock:
            for file_id, position in positions.items():
                if position > self._imported.get(file_id, 0):
                    self._imported[file_id] = position

    def make_room(self) -> None:
        """Begin a new file where one is half full; call it when the disk is well again."""
        for folder in self._folders:
            with self._lock, contextlib.suppress(OSError), self._alone(folder):
                self._refresh(folder)
                newest = self._newest(folder)
                if newest is not None and newest.position > CAPACITY // 2:
                    self._allocate(folder)

    @property
    def damaged(self) -> bool:
        """Tell whether a file holds frames that can't be read, with later ones behind."""
        with self._lock:
            self._refresh()
            return any(file.damaged for file in self._files.values())

    @contextlib.contextmanager
    def _alone(self, folder: Path) -> Iterator[None]:
        # a descriptor of its own each time: one kept over a fork would share its lock
        descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _refresh(self, only: Path | None = None) -> None:
        for folder in self._folders if only is None else (only,):
            changed = folder.stat().st_mtime_ns
            if self._seen.get(folder) != changed:
                self._find_files(folder)
                self._seen[folder] = changed
        for path, file in self._files.items():
            if only in (None, path.parent) and file.has_news():
                file.refresh()

    def _find_files(self, folder: Path) -> None:
        for path in _paths(folder):
            if path not in self._files:
                with path.open("rb") as stream:
                    file_id = file_id_of(stream.read(FILE_HEADER))
                if file_id is not None:
                    self._files[path] = _File(path, file_id)

    def _newest(self, folder: Path) -> _File | None:
        files = [file for path, file in sorted(self._files.items()) if path.parent == folder]
        return files[-1] if files else None

    def _append_to(self, folder: Path, payload: bytes) -> None:
        # the other folders' disks may be what is broken
        self._refresh(folder)
        file = self._newest(folder)
        if file is None or file.damaged or file.position + frame_size(payload) > CAPACITY:
            self._allocate(folder)
            self._refresh(folder)
            file = self._newest(folder)
        if file is None:
            raise OSError
        frame, _ = encode_frame(payload, file_id=file.id, batch=file.position, running=file.running)
        descriptor = os.open(file.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            if os.pwrite(descriptor, frame, file.position) != len(frame):
                raise OSError
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        file.refresh()

    def _allocate(self, folder: Path) -> None:
        """Add the next numbered file, full of real zeros (holes would need blocks later)."""
        numbers = [int(path.stem) for path in _paths(folder)]
        path = folder / f"{max(numbers, default=0) + 1:08d}.emergency"
        unfinished = path.with_suffix(".unfinished")
        content = file_header(self._randomness.bytes(16)).ljust(CAPACITY, b"\0")
        try:
            with unfinished.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.rename(path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
        sync_folder(folder)
        self._seen.pop(folder, None)


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.emergency"))


def _payload(kind: str, identifier: str, act: Act, at: int) -> bytes:
    record = encode_act(act, at).decode()
    return orjson.dumps({"kind": kind, "id": identifier, "at": at, "record": record})


def _entry(file_id: str, end: int, payload: bytes) -> Entry:
    fields = orjson.loads(payload)
    return Entry(
        file_id, end, fields["kind"], fields["id"], fields["at"], fields["record"].encode()
    )
