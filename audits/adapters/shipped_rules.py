"""The rules that ship with the product, as they lie on this machine."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from audits.ports.rules import ShippedRules
from secops.adapters.disk import digest_of


def shipped_rules(folder: Path | None = None) -> ShippedRules:
    """Return the release, and the SHA-256 of each file of ``rules`` by its path there."""
    root = Path(str(files("rules"))) if folder is None else folder
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found[path.relative_to(root).as_posix()] = digest_of(path).hex()
    return ShippedRules(version("govsecops"), found)
