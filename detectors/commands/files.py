"""Files that a command is given: rule folders, logs, and the cache of compiled rules."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from detectors.models.rules import RuleFile

if TYPE_CHECKING:
    from detectors.service.checks import Sample, Wanted

_RULES: Final = (".yml", ".yaml")
_SAMPLES: Final = "samples"
_WANTED: Final[tuple[Wanted, ...]] = ("positive", "negative")


def rule_files(folders: Sequence[Path]) -> list[RuleFile]:
    """Return all rule files under ``folders`` (or the files themselves), by path."""
    paths = {
        path
        for folder in folders
        for path in _below(folder)
        if path.suffix in _RULES and _SAMPLES not in path.parts
    }
    return [RuleFile(str(path), path.read_bytes()) for path in sorted(paths)]


def log_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files among ``paths`` and below the folders among them, by path."""
    return sorted({file for path in paths for file in _below(path)})


def samples_of(rule_path: str) -> list[Sample]:
    """Return the samples beside the rule file at ``rule_path``."""
    from detectors.service.checks import Sample  # noqa: PLC0415 - scan-files starts without it

    path = Path(rule_path)
    folder = path.parent / _SAMPLES / path.stem
    if not folder.is_dir():
        return []
    return [
        Sample(str(file), wanted, file.read_bytes())
        for file in sorted(folder.iterdir())
        for wanted in _WANTED
        if file.stem == wanted
    ]


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        for name in names:
            if not name.startswith("."):
                yield Path(folder) / name


class CacheFile:
    """Compiled rules in ``home/cache``; a home that can't be written has no cache."""

    def __init__(self, home: Path) -> None:
        self._path = home / "cache" / "rules.json"

    def load(self) -> bytes | None:
        """Return what was saved last."""
        try:
            return self._path.read_bytes()
        except OSError:
            return None

    def save(self, content: bytes) -> None:
        """Replace it in one step: a reader sees the old or the new one, never half."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(self._path)
        except OSError:
            return
