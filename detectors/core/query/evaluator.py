"""The one evaluation that every log store is given."""

from __future__ import annotations

from detectors.core.query.counting import buckets_of, count_rows
from detectors.core.query.evaluate import matching_rows

__all__ = ["buckets_of", "count_rows", "matching_rows"]
