"""Finding a followed file again after rotation (logrotate(8)): renamed, copied, packed.

A file is known by how it begins, not by its inode: a deleted file's inode is given to the next
one, ``copytruncate`` leaves the rest in a file with another inode, gzip writes a new file.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from detectors.models.logs import TailPosition

HEAD: Final = 1_024
"""Bytes by which a file is known; log lines begin with their time."""
_CHUNK: Final = 1 << 20
_ROTATED: Final = re.compile(r"[.-]\d[\d_.:T-]*(?:\.gz)?")
_PACKED: Final = ".gz"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the stream; ``packed`` ones are read through gzip."""

    path: Path
    packed: bool = False


@contextmanager
def opened(found: FoundFile) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked; offsets are those of its content."""
    with found.path.open("rb") as stream:
        if not found.packed:
            yield stream
            return
        with gzip.GzipFile(fileobj=stream, mode="rb") as inner:
            yield cast("IO[bytes]", inner)


def fingerprint(stream: IO[bytes], offset: int) -> tuple[str, int]:
    """Return the digest of the first bytes of what was read or will be, and how many they are."""
    stream.seek(0)
    content = stream.read(HEAD)
    length = len(content) if offset == 0 else min(offset, len(content))
    length = _whole_lines(content, length)
    return hashlib.sha256(content[:length]).hexdigest(), length


def _whole_lines(content: bytes, length: int) -> int:
    """Return the end of the last whole line within ``length``: its rest may not be there yet."""
    if length >= HEAD:
        return length
    end = content.rfind(b"\n", 0, length) + 1
    return end or length


def same_file(path: Path, position: TailPosition) -> bool:
    """Tell whether the file at ``path`` is the one that ``position`` is in."""
    try:
        if path.stat().st_size < position.offset:
            return False
        return _begins_alike(FoundFile(path), position)
    except OSError:
        return False


def find_rest(path: Path, position: TailPosition) -> FoundFile | None:
    """Return the file beside ``path`` that ``position`` is in, wherever rotation has put it."""
    candidates = sorted(_siblings(path), key=lambda found: (found.packed, -_modified(found)))
    moved = [found for found in candidates if not found.packed and _inode(found) == position.inode]
    for found in (*moved, *candidates):
        try:
            if _holds(found, position) and _begins_alike(found, position):
                return found
        except (OSError, EOFError, zlib.error):
            continue  # it is being packed, or gone
    return None


def after(path: Path, rest: FoundFile | None, position: TailPosition) -> FoundFile | None:
    """Return the oldest rotated file that is younger than what was read last, if there is one."""
    last = position.modified if rest is None else max(_modified(rest), position.modified)
    plain = {found.path for found in _siblings(path) if not found.packed}
    younger = [
        found
        for found in _siblings(path)
        if _modified(found) > last and not (found.packed and found.path.with_suffix("") in plain)
    ]
    return min(younger, key=_modified, default=None)


def _siblings(path: Path) -> list[FoundFile]:
    """Return the rotated files of ``path``: ``log.1``, ``log-20261122.gz``, ``log-2026.log``."""
    found = []
    for candidate in path.parent.iterdir():
        name = candidate.name
        inner = name.removeprefix(path.name)
        dated = name.removeprefix(path.stem).removesuffix(_PACKED).removesuffix(path.suffix)
        is_rotated = inner != name and _ROTATED.fullmatch(inner) is not None
        is_dated = path.suffix != "" and name != dated and _ROTATED.fullmatch(dated) is not None
        if candidate != path and (is_rotated or is_dated) and candidate.is_file():
            found.append(FoundFile(candidate, name.endswith(_PACKED)))
    return found


def _holds(found: FoundFile, position: TailPosition) -> bool:
    """Tell whether a file is long enough to be the one."""
    if not found.packed:
        return found.path.stat().st_size >= position.offset
    size = 0
    with opened(found) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size >= position.offset:
                return True
    return size >= position.offset


def _begins_alike(found: FoundFile, position: TailPosition) -> bool:
    with opened(found) as stream:
        content = stream.read(position.head_length)
    return hashlib.sha256(content).hexdigest() == position.head


def _inode(found: FoundFile) -> int:
    try:
        return found.path.stat().st_ino
    except OSError:
        return 0


def _modified(found: FoundFile) -> int:
    try:
        return found.path.stat().st_mtime_ns
    except OSError:
        return 0
