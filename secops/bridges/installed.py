"""The installed files against the list that the installer wrote of them (RECORD, PEP 376).

Who edits a file on the server is seen unless they edit the list, too: compare it with that of
another installation, or install the release anew beside it.
"""

from __future__ import annotations

import base64
import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import Final

from secops.adapters.disk import digest_of

_COLUMNS: Final = 3
_MADE: Final = "__pycache__"
"""What Python makes by itself; it stands in no list with its digest."""


@dataclass(frozen=True, slots=True)
class InstalledFiles:
    """How many files are listed, and those of ours that differ, are gone or are not listed."""

    listed: int
    altered: tuple[str, ...]


def examine_installed(found: Distribution, packages: Collection[str]) -> InstalledFiles:
    """Compare the files of ``packages`` with their list; raise OSError, or ValueError."""
    listed = dict(_listed(found, packages))
    altered = {name for name, digest in listed.items() if _digest(_path(found, name)) != digest}
    if listed:
        altered.update(name for name in _present(found, packages) if name not in listed)
    return InstalledFiles(len(listed), tuple(sorted(altered)))


def _listed(found: Distribution, packages: Collection[str]) -> Iterator[tuple[str, str]]:
    for row in csv.reader((found.read_text("RECORD") or "").splitlines()):
        if len(row) == _COLUMNS and row[1] and row[0].partition("/")[0] in packages:
            yield row[0], row[1]


def _present(found: Distribution, packages: Collection[str]) -> Iterator[str]:
    for package in packages:
        root = _path(found, package)
        for path in root.rglob("*"):
            if path.is_file() and _MADE not in path.parts:
                yield f"{package}/{path.relative_to(root).as_posix()}"


def _digest(path: Path) -> str:
    """Return the digest as it stands in a list; empty for a file that is gone."""
    try:
        raw = digest_of(path)
    except FileNotFoundError:
        return ""
    return f"sha256={base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def _path(found: Distribution, name: str) -> Path:
    return Path(str(found.locate_file(name)))
