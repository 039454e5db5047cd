"""What the machine's disk is and can, how names on it become durable, what a file holds."""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

_REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph"})
_BLOCK: Final = 4_096


def free_bytes(folder: Path) -> int:
    """Return how many bytes an unprivileged process may still write under ``folder``."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def filesystem(folder: Path) -> str:
    """Return the type of file system that holds ``folder``, e.g. ``ext4``."""
    wanted = folder.resolve()
    best, kind = "", "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, name, *_ = line.split(" ")
        point = mount.encode().decode("unicode_escape")
        inside = wanted == Path(point) or Path(point) in wanted.parents
        if inside and len(point) >= len(best):
            best, kind = point, name
    return kind


def is_remote(folder: Path) -> bool:
    """Tell whether ``folder`` lies on a network file system: SQLite's locks fail there."""
    return filesystem(folder) in _REMOTE


def make_folder(folder: Path) -> None:
    """Make ``folder`` with what is missing above it, private, each name durable in its parent.

    A name that was not synced may be gone after a power cut, and all that lies under it.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``: whole or not at all, and durable on return."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def digest_of(path: Path) -> bytes:
    """Return the SHA-256 of a file, which is never held whole."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_seconds(folder: Path, count: int = 64) -> float:
    """Return the median seconds of ``count`` writes of 4 KiB with ``fdatasync``."""
    block = b"\0" * _BLOCK
    taken: list[float] = []
    with tempfile.TemporaryFile(dir=folder) as stream:
        descriptor = stream.fileno()
        os.pwrite(descriptor, block * count, 0)
        os.fsync(descriptor)
        for index in range(count):
            begun = time.perf_counter()
            os.pwrite(descriptor, block, index * _BLOCK)
            os.fdatasync(descriptor)
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
