"""Log files on this machine, and the file that rejected lines go to."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from detectors.models.logs import FileView
from detectors.ports import RejectSink

_CHUNK: Final = 1 << 18


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
        """Open one file; raises ``OSError``."""
        with Path(path).open("rb") as stream:
            status = os.fstat(stream.fileno())
            yield FileView(
                name=Path(path).name,
                path=path,
                size=status.st_size,
                modified=status.st_mtime_ns // 1_000,
                chunks=_chunks(stream),
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
        if self._stream is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._stream = self._path.open("ab")
            self._path.chmod(0o600)
        self._stream.write(orjson.dumps({**record, **_lossless(raw)}) + b"\n")

    def close(self) -> None:
        if self._stream is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()


def _lossless(raw: bytes) -> dict[str, str]:
    """Return ``raw`` as text where it is UTF-8, else as base64: nothing of it is lost."""
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
