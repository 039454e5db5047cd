"""What compiled rules depend on beside their files. Quick to import: a warm scan needs no more."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Final

from detectors.core.sigma.version import COMPILER_VERSION

FIELDS: Final = "fields.toml"
WINDOWS_FIELDS: Final = "windows_fields.toml"
"""The files among the log sources that are no tables of them."""


def table_texts() -> list[str]:
    """Return the log source tables that are part of the product, by name."""
    entries = (resources.files("rules") / "logsources").iterdir()
    named = sorted((entry.name, entry) for entry in entries)
    return [
        entry.read_text("utf-8")
        for name, entry in named
        if name.endswith(".toml") and name not in {FIELDS, WINDOWS_FIELDS}
    ]


def digest_of(texts: list[str]) -> str:
    """Return the hex SHA-256 of ``texts``."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def compiler_stamp() -> str:
    """Return what compiled rules depend on beside their files: compiler and log sources."""
    return f"{COMPILER_VERSION}:{digest_of(table_texts())}"
