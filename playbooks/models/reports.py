"""A report as it is printed: headings and tables of plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from secops.kernel.catalogue import Language

ReportFormat = Literal["json", "md", "html", "docx", "pdf"]
PrintFormat = Literal["docx", "pdf"]
ReportKind = Literal["full", "first"]
"""All about an incident, or the first report: what is known so far, the rest named."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its table: columns and rows of plain text."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class PrintedReport:
    """What a printer sets. ``digests`` (hex by algorithm) are over the report's content."""

    title: str
    sections: tuple[Section, ...]
    digests: Mapping[str, str]
    digest_heading: str
    language: Language
    made_at: int
