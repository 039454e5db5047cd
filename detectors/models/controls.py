"""Compliance gaps: control items that stand worse than they did, as audits sees them."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.models.rules import Severity
from secops.kernel.catalogue import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlGap:
    """An item of a standard that fell from ``before`` to ``after`` at ``since``.

    ``id`` names system, standard, level and item; ``link`` is the console's page of the item.
    """

    id: str
    title: Text
    standard: str
    severity: Severity
    before: str
    after: str
    reason: Text
    since: int
    link: str = ""
