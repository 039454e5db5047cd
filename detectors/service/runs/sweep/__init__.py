"""Many stored events at once: pieces of the log store to matchers, effects by one writer."""

from __future__ import annotations

from detectors.service.runs.sweep.sweeper import Sweeper

__all__ = ["Sweeper"]
