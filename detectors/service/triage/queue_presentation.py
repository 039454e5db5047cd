"""The queue as JSON: the same for the command line and over HTTP."""

from __future__ import annotations

from typing import Any

from detectors.models.queue import (
    MANY,
    AlertCounts,
    AlertGroup,
    AlertNews,
    AlertView,
    Deadlines,
)
from detectors.models.rules import SEVERITIES
from detectors.service.triage.filters import words_of
from secops.kernel.clock import MINUTE, rfc3339_or_none, to_rfc3339


def counts_json(counts: AlertCounts) -> dict[str, Any]:
    """Return counts; of statuses that are not open at most ``1000``, and ``more`` names them."""
    return {
        "total": counts.total,
        "overdue": counts.overdue,
        "least": counts.least,
        "facets": {facet: dict(values) for facet, values in counts.facets.items()},
        "statuses": {
            status: count if status == "open" else min(count, MANY)
            for status, count in counts.statuses.items()
        },
        "more": [
            status for status, count in counts.statuses.items() if status != "open" and count > MANY
        ],
        "revision": counts.revision,
    }


def alert_group_json(group: AlertGroup) -> dict[str, Any]:
    """Return a group; ``title`` is that of a rule's newest alert."""
    return {
        "key": group.key,
        "count": group.count,
        "newest_at": to_rfc3339(group.newest),
        "severity": group.severity,
        "title": group.sample.title if group.sample else None,
    }


def news_json(news: AlertNews) -> dict[str, Any]:
    """Return how many there are and how many changed; ``least`` where there are more."""
    return {"total": news.total, "changed": news.changed, "least": news.least}


def view_json(view: AlertView) -> dict[str, Any]:
    """Return a saved view; ``query`` are the words of the queue's address."""
    return {
        "id": view.id,
        "name": view.name,
        "query": view_words(view),
        "created_at": to_rfc3339(view.created_at),
    }


def view_words(view: AlertView) -> dict[str, str]:
    """Return the words of a view's address; all statuses are an empty word."""
    said = {"status": "", **words_of(view.wanted), "sort": view.order}
    return said if view.group is None else {**said, "group": view.group}


def deadlines_json(deadlines: Deadlines) -> list[dict[str, Any]]:
    """Return the deadlines, the worst severity first."""
    return [
        {
            "severity": severity,
            "acknowledge_minutes": deadlines[severity].acknowledge // MINUTE,
            "resolve_minutes": deadlines[severity].resolve // MINUTE,
            "set_by": deadlines[severity].set_by,
            "set_at": rfc3339_or_none(deadlines[severity].set_at),
        }
        for severity in reversed(SEVERITIES)
    ]
