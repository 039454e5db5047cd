"""What can be made again, kept in ``home/cache``; a home that can't be written has no cache."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


class CacheFile:
    """One file, replaced in one step: a reader sees the old or the new one, never half."""

    def __init__(self, home: Path, name: str) -> None:
        self._path = home / "cache" / f"{name}.json"

    def load(self) -> bytes | None:
        """Return what was saved last, None if there is nothing readable."""
        try:
            return self._path.read_bytes()
        except OSError:
            return None

    def save(self, content: bytes) -> None:
        """Replace it; where it can't be written nothing happens."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(self._path)
        except OSError:
            return
