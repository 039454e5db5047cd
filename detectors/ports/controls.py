"""What control checks find; audits fills it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detectors.models.controls import ControlGap


class ControlChecks(Protocol):
    """Tells which control items stand worse than they did."""

    def gaps(self, org_id: str) -> Sequence[ControlGap]:
        """Return the gaps of an organisation that are open now."""
        ...


class NoControlChecks:
    """Where nobody checks controls."""

    def gaps(self, org_id: str) -> Sequence[ControlGap]:  # noqa: ARG002 - the port's
        """Return nothing."""
        return ()
