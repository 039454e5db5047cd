"""The one indexing that log stores with an index are given."""

from __future__ import annotations

from detectors.core.anchors.queries import query_anchor
from detectors.core.anchors.shadow import shadow_of

__all__ = ["query_anchor", "shadow_of"]
