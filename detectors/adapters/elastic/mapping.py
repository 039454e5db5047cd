"""How our indices are declared: ``PREFIX.day-2026-11-22``, ``PREFIX.state``.

A prefix has no dot, so that no pattern of one instance takes in another's.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from detectors.models.shadows import ADDRESSES, NUMBERS, SEARCHED
from secops.kernel.clock import DAY

VERSION: Final = 1
"""Of the declaration; it is written into the template."""
KEPT: Final = 8_191
"""UTF-16 units that a keyword keeps; Lucene's limit is 32,766 bytes."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_KEYWORD: Final = {"type": "keyword", "ignore_above": KEPT}
_FLAT: Final = {"type": "flattened", "ignore_above": KEPT}
_SHADOWS: Final = ("fold", "rev", "rest", "rest_rev", "ip", "number")


def index_of(prefix: str, at: int) -> str:
    """Return the index of the UTC day of ``at`` (microseconds)."""
    day = min(max(_EPOCH + at // DAY, date.min.toordinal()), date.max.toordinal())
    return f"{prefix}.day-{date.fromordinal(day).isoformat()}"


def day_of(index: str) -> int:
    """Return the UTC day (days since 1970) of a day index."""
    return date.fromisoformat(index.rpartition(".day-")[2]).toordinal() - _EPOCH


def days_of(prefix: str) -> str:
    """Return the pattern of all day indices."""
    return f"{prefix}.day-*"


def state_of(prefix: str) -> str:
    """Return the index of what the writers remember."""
    return f"{prefix}.state"


def template(prefix: str) -> dict[str, Any]:
    """Return the index template of the days.

    ``fold`` and ``rev`` hold folded texts of well-known fields and the same backwards, so
    that beginnings, ends and parts are found; ``rest`` those of all others. They are made by
    us and not kept in ``_source``: folding must be the engine's own to the last character.
    """
    return {
        "index_patterns": [days_of(prefix)],
        "priority": 500,
        "_meta": {"product": "govsecops", "version": VERSION},
        "template": {
            "settings": {
                "index": {
                    "number_of_shards": 1,
                    "auto_expand_replicas": "0-1",
                    "refresh_interval": "30s",  # the writer refreshes what it wrote
                    "max_result_window": 10_000,
                }
            },
            "mappings": _mappings(),
        },
    }


def state_index() -> dict[str, Any]:
    """Return how the state's index is declared: read by id, listed by number."""
    numbers = {name: {"type": "long"} for name in ("first_seq", "last_seq")}
    return {
        "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1"}},
        "mappings": {
            "dynamic": False,
            "properties": {"kind": {"type": "keyword"}, "closed": {"type": "boolean"}, **numbers},
        },
    }


def _mappings() -> dict[str, Any]:
    return {
        "dynamic": False,
        "_source": {"excludes": [f"{name}.*" for name in _SHADOWS]},
        "properties": {
            "@timestamp": {"type": "date", "format": "epoch_millis||strict_date_optional_time"},
            "at": {"type": "long"},
            "seq": {"type": "long"},
            "ingested": {"type": "long"},
            "source": _KEYWORD,
            "vague": _KEYWORD,
            "fields": {**_FLAT, "index": False, "doc_values": False},
            "fold": _named(SEARCHED, _KEYWORD),
            "rev": _named(SEARCHED, _KEYWORD),
            "rest": _FLAT,
            "rest_rev": _FLAT,
            "ip": _named(ADDRESSES, {"type": "ip", "ignore_malformed": True}),
            "number": _named(NUMBERS, {"type": "double", "ignore_malformed": True}),
        },
    }


def _named(names: frozenset[str], kind: dict[str, Any]) -> dict[str, Any]:
    properties = dict.fromkeys(sorted(names), kind)
    return {"type": "object", "subobjects": False, "dynamic": False, "properties": properties}
