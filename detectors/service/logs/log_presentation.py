"""Log values as JSON, the same on the command line and over HTTP."""

from __future__ import annotations

from typing import Any, Final

from detectors.core.formats.record import decode_line
from detectors.models.logs import IngestResult, LogSource, SegmentsVerdict
from detectors.models.search import ExportPart, Facet, Histogram
from secops.kernel.clock import to_rfc3339
from secops.kernel.logs import Bucket, SourceSummary, StoredEvent

MAX_EVENTS: Final = 50_000
MAX_BYTES: Final = 32 << 20
"""A file over HTTP ends with the piece that reaches it; the command line has no such end."""
EXPORT_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def event_json(stored: StoredEvent) -> dict[str, Any]:
    """Return an event; ``fields`` keeps dotted names, lists stay lists."""
    event = stored.event
    return {
        "id": event.id,
        "seq": stored.seq,
        "@timestamp": to_rfc3339(event.at),
        "ingested": to_rfc3339(event.ingested),
        "source": event.source,
        "fields": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in sorted(event.fields.items())
        },
        "raw": decode_line(event.raw),
    }


def result_json(result: IngestResult) -> dict[str, Any]:
    """Return the answer of ``logs ingest`` (interface.md)."""
    return {
        "read": result.read,
        "stored": result.stored,
        "duplicates": result.duplicates,
        "rejected": result.rejected,
        "seconds": result.seconds,
        "rejects_file": result.rejects_file,
    }


def summary_json(summary: SourceSummary) -> dict[str, Any]:
    """Return what is stored of one source."""
    return {
        "source": summary.source,
        "events": summary.events,
        "first_at": to_rfc3339(summary.first_at),
        "last_at": to_rfc3339(summary.last_at),
        "last_ingested": to_rfc3339(summary.last_ingested),
    }


def source_json(source: LogSource) -> dict[str, Any]:
    """Return a registered source."""
    return {
        "name": source.name,
        "format": source.format,
        "timezone": source.timezone,
        "encoding": source.encoding,
        "path": source.path,
        "follow": source.follow,
        "owner": source.owner,
        "expected_silence": source.expected_silence,
        "peers": source.peers,
        "hosts": source.hosts,
        "created_at": to_rfc3339(source.created_at),
        "created_by": source.created_by,
    }


def bucket_json(bucket: Bucket) -> dict[str, Any]:
    """Return one group of a count."""
    return {"key": list(bucket.key), "count": bucket.count}


def histogram_json(histogram: Histogram) -> dict[str, Any]:
    """Return a histogram; ``interval`` is seconds, each bar says when it begins."""
    return {
        "interval": histogram.step,
        "total": histogram.total,
        "items": [{"at": to_rfc3339(bar.start), "count": bar.count} for bar in histogram.bars],
    }


def facet_json(facet: Facet) -> dict[str, Any]:
    """Return the most frequent values of a field."""
    terms = [{"value": term.key[0], "count": term.count} for term in facet.terms]
    return {"field": facet.field, "terms": terms}


def verdict_json(verdict: SegmentsVerdict) -> dict[str, Any]:
    """Return what the check of the stored logs found."""
    return {
        "valid": verdict.valid,
        "segments": verdict.segments,
        "events": verdict.events,
        "bad": [{"segment": name, "why": why} for name, why in verdict.bad],
        "waiting": list(verdict.waiting),
    }


def export_headers(found: ExportPart) -> tuple[tuple[str, str], ...]:
    """Return the headers that say how many events a file holds, and whether it was cut."""
    return (
        ("x-exported-events", str(found.rows)),
        ("x-export-cut", "true" if found.is_cut else "false"),
    )
