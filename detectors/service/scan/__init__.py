"""Rules over files, without storing anything."""

from __future__ import annotations

from detectors.service.scan.old import MAX_LINE, BadRecord, Hit, Scanner

__all__ = ["MAX_LINE", "BadRecord", "Hit", "Scanner"]
