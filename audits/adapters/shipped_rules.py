"""The rules that ship with the product, as they lie on this machine."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from audits.ports.rules import ShippedRules


def shipped_rules(folder: Path | None = None) -> ShippedRules:
    """Return the release, and the SHA-256 of each file of ``rules`` by its path there."""
    root = Path(str(files("rules"))) if folder is None else folder
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            found[path.relative_to(root).as_posix()] = digest
    return ShippedRules(version("govsecops"), found)
