"""What a log store with an index needs to know of the engine's folding."""

from __future__ import annotations

from typing import Protocol

from detectors.models.shadows import Shadow
from secops.kernel.anchors import Anchor
from secops.kernel.logs import LogEvent, Query


class Indexing(Protocol):
    """Says what to keep of an event so that it is found, and what to ask for.

    ``core.anchors`` fills it: for every event that a question holds for, the question's
    anchor holds for the event's shadow.
    """

    def shadow_of(self, event: LogEvent) -> Shadow:
        """Return what is kept of ``event``."""
        ...

    def query_anchor(self, query: Query) -> Anchor:
        """Return an anchor of a search."""
        ...
