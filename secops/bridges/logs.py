"""Logs for the response plane: a bounded search becomes evidence."""

from __future__ import annotations

from detectors.service import DetectorsServices
from playbooks.ports import LogExtract, Order
from secops.bridges.containment import told_of
from secops.kernel.logs import Window


class DetectorLogs:
    """Implements ``playbooks.ports.Logs``."""

    def __init__(self, detectors: DetectorsServices) -> None:
        self._detectors = detectors

    def check(self, query: str) -> None:
        """Raise ``BadQuery`` unless ``query`` can be read."""
        self._detectors.search.check_query(query)

    def extract(
        self, query: str, window: tuple[int, int], order: Order, *, limits: tuple[int, int]
    ) -> LogExtract:
        """Return what ``query`` finds in ``window``, newest first; ``limits`` = (events, bytes)."""
        events, size = limits
        part = self._detectors.search.collect_logs(
            query, Window(*window), max_bytes=size, limit=events, told=told_of(order)
        )
        return LogExtract(part.content, part.rows, part.is_cut)
