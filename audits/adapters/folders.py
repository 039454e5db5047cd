"""Files beside the ledger, and folders that tiles are exported to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from audits.errors import MalformedProof
from secops.adapters.disk import make_folder, write_durably


class VkeyLines:
    """The file of verification keys; implements ``audits.ports.VkeyFile``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, vkeys: Sequence[str]) -> None:
        """Replace the file's lines, whole or not at all."""
        make_folder(self._path.parent)
        write_durably(self._path, "".join(f"{vkey}\n" for vkey in vkeys).encode())


class TileFolder:
    """A folder of tiles; implements ``audits.ports.TileSink``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: str, content: bytes) -> None:
        """Store ``content`` under the relative ``path``."""
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts:
            msg = "a tile's path stays inside its folder"
            raise MalformedProof(msg)
        place = self._folder / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
