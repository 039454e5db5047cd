"""Use cases of the audits plane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audits.ports import TileSink
from audits.service.assessments import AssessmentService
from audits.service.ledger import LedgerService
from audits.service.reports import ReportService

__all__ = ["AuditsServices"]


@dataclass(frozen=True, slots=True)
class AuditsServices:
    """The plane's services. ``folder_sink`` makes a sink of a folder for exports."""

    ledger: LedgerService
    folder_sink: Callable[[Path], TileSink]
    assessments: AssessmentService
    reports: ReportService
