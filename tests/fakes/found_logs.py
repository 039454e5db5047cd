"""Logs that hold a few lines, for evidence."""

from __future__ import annotations

from playbooks.ports import LogExtract, Order
from secops.kernel.errors import Invalid


class FakeLogs:
    """Finds ``lines`` for every query but one that ends in ``(``; notes what was asked."""

    def __init__(self, *lines: bytes) -> None:
        self.lines = lines or (b'{"message":"one"}', b'{"message":"two"}')
        self.asked: list[tuple[str, tuple[int, int], str]] = []

    def check(self, query: str) -> None:
        """Raise ``Invalid`` for a query that can't be read."""
        if query.endswith("("):
            raise Invalid

    def extract(
        self, query: str, window: tuple[int, int], order: Order, *, limits: tuple[int, int]
    ) -> LogExtract:
        """Return the first lines within the limits."""
        self.asked.append((query, window, order.key))
        kept = self.lines[: limits[0]]
        content = b"".join(line + b"\n" for line in kept)
        return LogExtract(content, len(kept), len(kept) < len(self.lines))
