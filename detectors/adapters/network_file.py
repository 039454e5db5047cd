"""The operator's table of networks as a CSV file in the home."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

NETWORKS_FILE: Final = "networks.csv"
_MAX_BYTES: Final = 64 << 20


class NetworkFile:
    """Implements ``detectors.ports.NetworkTable`` over ``home/networks.csv``."""

    def __init__(self, home: Path) -> None:
        self._path = home / NETWORKS_FILE

    def version(self) -> str:
        """Return size and time of change, empty where there is no file."""
        try:
            found = self._path.stat()
        except OSError:
            return ""
        return f"{found.st_size}-{found.st_mtime_ns}"

    def lines(self) -> Iterable[str]:
        """Return its lines, at most 64 MB; none where it can't be read."""
        try:
            with self._path.open("rb") as stream:
                content = stream.read(_MAX_BYTES)
        except OSError:
            return ()
        return content.decode("utf-8", "replace").splitlines()
