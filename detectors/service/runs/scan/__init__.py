"""Rules over files, without storing anything."""

from __future__ import annotations

from detectors.service.runs.scan.blocks import MAX_LINE
from detectors.service.runs.scan.rules import Brief, ScanRules, cached_rules
from detectors.service.runs.scan.scanner import BadRecord, Here, Hit, Scanner, Source, Work, Workers

__all__ = [
    "MAX_LINE",
    "BadRecord",
    "Brief",
    "Here",
    "Hit",
    "ScanRules",
    "Scanner",
    "Source",
    "Work",
    "Workers",
    "cached_rules",
]
