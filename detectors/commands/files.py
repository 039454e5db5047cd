"""Files that a command is given: rule folders, logs, and the cache of compiled rules."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from detectors.models.rules import RuleFile
from secops.kernel.clock import SECOND

if TYPE_CHECKING:
    from detectors.service.rules.checks import Sample, Wanted

_RULES: Final = (".yml", ".yaml")
_SAMPLES: Final = "samples"
_WANTED: Final[tuple[Wanted, ...]] = ("positive", "negative")


def rule_files(folders: Sequence[Path]) -> list[RuleFile]:
    """Return all rule files under ``folders`` (or the files themselves), by path."""
    return [RuleFile(path, Path(path).read_bytes()) for path, _ in _rule_entries(folders)]


def rules_stamp(folders: Sequence[Path], now: int) -> bytes | None:
    """Return what changes with every change of the rule files: sizes, times, inodes, names.

    None while a file is younger than 2 seconds before ``now`` (UTC microseconds): a change
    within the same tick of the file system's clock would not show.
    """
    digest = hashlib.sha256()
    youngest = 0
    for path, status in _rule_entries(folders):
        youngest = max(youngest, status.st_mtime_ns, status.st_ctime_ns)
        times = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        digest.update(f"{path}\0{times}\0".encode("utf-8", "surrogateescape"))
    if youngest > (now - 2 * SECOND) * 1_000:
        return None
    return digest.hexdigest().encode()


def _rule_entries(folders: Sequence[Path]) -> list[tuple[str, os.stat_result]]:
    found: dict[str, os.stat_result] = {}
    for folder in folders:
        if folder.is_dir():
            _walk(str(folder), found)
        else:
            found[str(folder)] = folder.stat()
    return sorted(found.items())


def _walk(folder: str, found: dict[str, os.stat_result]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                if entry.name != _SAMPLES and not entry.is_symlink():
                    _walk(entry.path, found)
            elif entry.name.endswith(_RULES):
                found[entry.path] = entry.stat()


def log_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files among ``paths`` and below the folders among them, by path."""
    return sorted({file for path in paths for file in _below(path)})


def open_log(path: Path) -> BinaryIO:
    """Open a log file to be read."""
    return path.open("rb")


def samples_of(rule_path: str) -> list[Sample]:
    """Return the samples beside the rule file at ``rule_path``."""
    from detectors.service.rules.checks import Sample  # noqa: PLC0415 - scan-files starts without it

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
