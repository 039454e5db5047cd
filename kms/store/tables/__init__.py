"""The plane's tables: one ``metadata``, one file per family."""

from __future__ import annotations

from kms.store.tables import (
    backends,
    certificates,
    ecertificates,
    holds,
    keys,
    limits,
    openpgp,
    seals,
    self_tests,
)
from kms.store.tables.metadata import metadata

__all__ = [
    "backends",
    "certificates",
    "ecertificates",
    "holds",
    "keys",
    "limits",
    "metadata",
    "openpgp",
    "seals",
    "self_tests",
]
