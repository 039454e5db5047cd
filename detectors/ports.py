"""What the detectors plane needs from outside."""

from __future__ import annotations

from typing import Protocol


class RuleCache(Protocol):
    """Keeps compiled rules between runs; losing it costs time, nothing else."""

    def load(self) -> bytes | None:
        """Return what was saved last, None if there is nothing readable."""
        ...

    def save(self, content: bytes) -> None:
        """Replace it; where it can't be written nothing happens."""
        ...
