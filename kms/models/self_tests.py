"""What the engines of one process answered, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SelfTestRecord:
    """One run in one process: how many engines ``passed``, and what was wrong with which.

    An engine that is absent there (SM2 without OpenSSL 3) is neither.

    ``at`` is UTC microseconds; ``process`` names the process as the ledger's doors do.
    """

    id: str
    at: int
    process: str
    passed: int
    defects: Mapping[str, str]
