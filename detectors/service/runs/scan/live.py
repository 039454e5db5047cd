"""Small batches of lines, as they come while a log grows: parsed and asked, nothing stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from detectors.core.detection import Plan, detectors_of
from detectors.core.engine.tables import batch_of
from detectors.core.formats.detect import LINE_PARSERS
from detectors.core.formats.record import Context
from detectors.core.sigma.rule import RuleSet
from secops.kernel.clock import DAY
from secops.kernel.logs import LogEvent


class LiveBatches:
    """Asks ``rules`` about lines of one format; ``now`` (UTC microseconds) is their arrival."""

    def __init__(self, rules: RuleSet, format_name: str, now: int) -> None:
        self._plan = Plan(detectors_of(rules)[0])
        self._parse = LINE_PARSERS[format_name]
        self._context = Context(zone=UTC, latest=now + DAY)
        self._now = now
        self.detectors = len(self._plan.detectors)

    def find(self, lines: Sequence[bytes]) -> int:
        """Return how often a rule holds for one of ``lines``; raise ``BadLine``."""
        events = []
        for number, raw in enumerate(lines):
            parsed = self._parse(raw, self._context)
            events.append(LogEvent(f"{number}", "live", parsed.at, self._now, parsed.fields, raw))
        findings, _ = self._plan.find(batch_of(events))
        return len(findings)
