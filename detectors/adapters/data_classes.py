"""The classes of data that come with the product, and those in ``home/dataclasses``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from detectors.models.privacy import DataClassFile
from secops.kernel.errors import Invalid

_SUFFIX: Final = ".toml"
_MAX_FILE: Final = 1 << 20


class InstalledDataClasses:
    """Reads ``rules/dataclasses`` of the distribution, then the home's own."""

    def __init__(self, home: Path) -> None:
        self._own = home / "dataclasses"

    def data_class_files(self) -> Sequence[DataClassFile]:
        """Return the files; the home's come last and replace classes of the same id."""
        folder = resources.files("rules") / "dataclasses"
        packaged = sorted(folder.iterdir(), key=lambda entry: entry.name)
        files = [
            DataClassFile(f"rules/dataclasses/{entry.name}", entry.read_bytes())
            for entry in packaged
            if entry.name.endswith(_SUFFIX)
        ]
        if self._own.is_dir():
            files.extend(_read(path) for path in sorted(self._own.glob(f"*{_SUFFIX}")))
        return files


def _read(path: Path) -> DataClassFile:
    with path.open("rb") as file:
        content = file.read(_MAX_FILE + 1)
    if len(content) > _MAX_FILE:
        raise Invalid(f"{path} has more than {_MAX_FILE} bytes")
    return DataClassFile(str(path), content)
