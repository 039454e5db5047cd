"""How an act names the evidence it rests on: a ledger's record has 65,535 bytes at most."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from secops.kernel.canonical import canonical

MOST_NAMED: Final = 200
"""Digests that stand in a record; of more, that of their list does, and the list is a blob."""


@dataclass(frozen=True, slots=True)
class EvidenceList:
    """What the act says, and the list to keep under its SHA-256; empty where all are named."""

    said: Mapping[str, str | int] | Sequence[str]
    content: bytes = b""


def evidence_list(digests: Mapping[str, str] | Sequence[str]) -> EvidenceList:
    """Return how to name ``digests``: by facts, or in the order given."""
    if len(digests) <= MOST_NAMED:
        return EvidenceList(digests)
    content = canonical(dict(digests) if isinstance(digests, Mapping) else list(digests))
    sha256 = hashlib.sha256(content).hexdigest()
    return EvidenceList({"count": len(digests), "sha256": sha256}, content)
