"""What a verdict needs of typesetting: a PDF of it."""

from __future__ import annotations

from typing import Protocol

from kms.models.verdicts import VerdictPage


class VerdictPages(Protocol):
    """Sets verdicts as PDF, texts of hostile files in them too."""

    def render(self, page: VerdictPage) -> bytes:
        """Return ``page`` as an unsigned PDF; raise ``FontMissing``, ``Unavailable``."""
        ...
