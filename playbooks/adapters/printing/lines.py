"""What a printed page can take: bounded tables of text that can be seen."""

from __future__ import annotations

from typing import Any, Final

from playbooks.models.reports import PrintedReport
from secops.adapters.typesetting import plain

MAX_ROWS: Final = 1_000


def printable(report: PrintedReport) -> dict[str, Any]:
    """Return ``report`` as plain values, its tables cut at ``MAX_ROWS``, which is said."""
    return {
        "title": plain(report.title),
        "lang": "zh" if report.language == "zh" else "en",
        "digest_heading": report.digest_heading,
        "digests": [f"{name}: {digest}" for name, digest in report.digests.items()],
        "sections": [
            {
                "heading": plain(section.heading),
                "columns": list(section.columns),
                "rows": [[plain(cell) for cell in row] for row in section.rows[:MAX_ROWS]],
                "more": _more(len(section.rows) - MAX_ROWS, report.language),
            }
            for section in report.sections
        ],
    }


def _more(left: int, language: str) -> str:
    if left <= 0:
        return ""
    return f"另有 {left} 行未列出" if language == "zh" else f"{left} more rows are left out"
