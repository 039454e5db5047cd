"""Log files on this machine, and the file that rejected lines go to."""

from __future__ import annotations

import base64
import gzip
import lzma
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from detectors.errors import LogStoreUnavailable
from detectors.models.logs import FileView
from detectors.ports import RejectSink

_CHUNK: Final = 1 << 18
_MAGIC: Final = 6
_RATIO: Final = 500
_FREE: Final = 16 << 20


class LocalLogFiles:
    """Implements ``ports.LogFiles``."""

    def find(self, paths: Sequence[str]) -> Sequence[str]:
        """Return the files that ``paths`` name; of a folder those below it, sorted."""
        found: list[str] = []
        for path in map(Path, paths):
            if path.is_dir():
                below = sorted(file for file in path.rglob("*") if file.is_file())
                found += [str(file) for file in below]
            else:
                found.append(str(path))
        return found

    @contextmanager
    def open(self, path: str) -> Iterator[FileView]:
        """Open one file, unpacked if it is gzip or xz.

        Raises ``OSError``, also (while it is read) for an archive that is cut off or holds
        more than 500 times its size.
        """
        with Path(path).open("rb") as stream:
            status = os.fstat(stream.fileno())
            yield FileView(
                name=Path(path).name,
                path=path,
                size=status.st_size,
                modified=status.st_mtime_ns // 1_000,
                chunks=_unpacked(stream),
            )


class LocalRejects:
    """Implements ``ports.Rejects``: JSON Lines under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, name: str) -> RejectSink:
        """Return a sink whose file will be called after ``name``."""
        return _LazySink(self._folder / f"{name}.jsonl")


class _LazySink:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO | None = None

    @property
    def path(self) -> str | None:
        return None if self._stream is None else str(self._path)

    def write(self, record: Mapping[str, Any], raw: bytes) -> None:
        with _no_disk():
            if self._stream is None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._stream = self._path.open("ab")
                self._path.chmod(0o600)
            self._stream.write(orjson.dumps({**record, **_lossless(raw)}) + b"\n")

    def close(self) -> None:
        if self._stream is None:
            return
        with _no_disk():
            try:
                self._stream.flush()
                os.fsync(self._stream.fileno())
            finally:
                self._stream.close()


@contextmanager
def _no_disk() -> Iterator[None]:
    """Raise ``LogStoreUnavailable``: a refused line is never lost silently."""
    try:
        yield
    except OSError as error:
        msg = f"a refused line can't be kept: {error.strerror or error}"
        raise LogStoreUnavailable(msg) from error


def _lossless(raw: bytes) -> dict[str, str]:
    """Return ``raw`` as text where it is UTF-8, else as base64: nothing of it is lost."""
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}


def _unpacked(stream: BinaryIO) -> Iterator[bytes]:
    head = stream.read(_MAGIC)
    stream.seek(0)
    if head.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=stream, mode="rb") as inner:
            yield from _bounded(inner, stream)
    elif head.startswith(b"\xfd7zXZ\x00"):
        with lzma.LZMAFile(stream) as inner:
            yield from _bounded(inner, stream)
    else:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _bounded(inner: gzip.GzipFile | lzma.LZMAFile, stream: BinaryIO) -> Iterator[bytes]:
    """Yield what ``inner`` unpacks; raise ``OSError`` for damage and for bombs."""
    unpacked = 0
    try:
        while chunk := inner.read(_CHUNK):
            unpacked += len(chunk)
            if unpacked > _FREE + _RATIO * stream.tell():
                msg = f"the archive holds more than {_RATIO} times its size"
                raise OSError(msg)
            yield chunk
    except (EOFError, lzma.LZMAError, zlib.error) as error:
        msg = f"the archive is damaged: {error}"
        raise OSError(msg) from error
