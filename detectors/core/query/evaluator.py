"""The one evaluation that every log store is given."""

from __future__ import annotations

from detectors.core.query.counting import buckets_of, count_rows
from detectors.core.query.evaluate import matching_rows
from detectors.core.query.pruning import (
    keys_of,
    possible_places,
    possible_window,
    presence_key,
)

__all__ = [
    "buckets_of",
    "count_rows",
    "keys_of",
    "matching_rows",
    "possible_places",
    "possible_window",
    "presence_key",
]
