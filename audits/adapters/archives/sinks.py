"""A folder or a zip file that an archive is written into."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from audits.ports.reports import ArchiveSink
from secops.kernel.errors import Conflict, Invalid

_DATED: Final = (1980, 1, 1, 0, 0, 0)
_READABLE: Final = 0o100644 << 16


class ArchiveFolder:
    """Implements ``audits.ports.reports.ArchiveSink`` over a folder that is new or empty."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise Conflict(f"{folder} is not empty: files of another archive would stay in it")
        self._folder = folder

    def put(self, path: str, content: bytes) -> None:
        """Store ``content`` under the relative ``path``."""
        place = self._folder / _inside(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def close(self) -> None:
        """Finish: nothing is left to do."""


class ArchiveZip:
    """Implements ``audits.ports.reports.ArchiveSink`` over an open file."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)

    def put(self, path: str, content: bytes) -> None:
        """Store ``content`` under the relative ``path``."""
        member = zipfile.ZipInfo(_inside(path).as_posix(), _DATED)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = _READABLE
        self._zip.writestr(member, content)

    def close(self) -> None:
        """Write the directory at the end of the file."""
        self._zip.close()


class ArchiveZipFile(ArchiveZip):
    """A zip file on disk that has its name only once it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.unfinished")
        self._file = self._unfinished.open("wb")
        super().__init__(self._file)

    def close(self) -> None:
        """Finish the file and give it its name."""
        super().close()
        self._file.close()
        self._unfinished.replace(self._path)


def sink_at(path: Path) -> ArchiveSink:
    """Return a sink of the zip file or of the folder at ``path``, by its suffix."""
    return ArchiveZipFile(path) if path.suffix.lower() == ".zip" else ArchiveFolder(path)


def _inside(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts:
        raise Invalid("a path of an archive stays inside it")
    return relative
