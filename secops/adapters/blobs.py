"""Content-addressed files: written beside, synced, renamed; checked when read."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
from pathlib import Path
from typing import Final

from secops.adapters.disk import make_folder, sync_folder
from secops.kernel.errors import NotFound, Unavailable
from secops.kernel.ids import Randomness

_NAME: Final = re.compile(r"[0-9a-f]{64}")


class FileBlobs:
    """The kernel's ``Blobs``: ``folder/ab/cdef…`` by lower-case hex SHA-256."""

    def __init__(self, folder: Path, randomness: Randomness) -> None:
        self._folder = folder
        self._randomness = randomness

    def put(self, content: bytes) -> str:
        """Store ``content`` durably and return its name; raise ``Unavailable``."""
        name = hashlib.sha256(content).hexdigest()
        path = self._path(name)
        try:
            if path.is_file() and path.stat().st_size == len(content):
                return name
            self._write(path, content)
        except OSError as error:
            msg = "the blob can't be stored"
            raise Unavailable(msg) from error
        return name

    def get(self, name: str) -> bytes:
        """Return the content; raise ``NotFound``, or ``Unavailable`` if it no longer fits."""
        # a name is checked before it becomes a path: ``../`` is no blob
        if not _NAME.fullmatch(name):
            raise NotFound
        try:
            content = self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound from error
        except OSError as error:
            msg = "the blob can't be read"
            raise Unavailable(msg) from error
        if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), name):
            msg = f"the blob {name} was damaged or changed"
            raise Unavailable(msg)
        return content

    def drop(self, name: str) -> bool:
        """Delete the content; False if there is none. Raise ``Unavailable``."""
        if not _NAME.fullmatch(name):
            return False
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            msg = "the blob can't be deleted"
            raise Unavailable(msg) from error
        return True

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name[2:]

    def _write(self, path: Path, content: bytes) -> None:
        make_folder(path.parent)
        unfinished = path.with_name(f"{path.name}.{self._randomness.bytes(8).hex()}")
        try:
            descriptor = os.open(
                unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.rename(path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
        sync_folder(path.parent)
