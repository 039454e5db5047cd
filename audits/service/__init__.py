"""Use cases of the audits plane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audits.ports import TileSink
from audits.service.assessments.answers import AnswerService
from audits.service.assessments.assessments import AssessmentService
from audits.service.assessments.controls import ControlService
from audits.service.assessments.rounds import ControlRounds
from audits.service.assessments.schedules import ScheduleService
from audits.service.catalogues.catalogues import CatalogueService
from audits.service.collectors.collectors import CollectorService
from audits.service.erasure import PersonTraceService
from audits.service.holds import HoldService
from audits.service.ledger.cosigning import Cosigning
from audits.service.ledger.ledger import LedgerService
from audits.service.records.records import RecordService
from audits.service.rectification import RectificationServices
from audits.service.reports.archives import ArchiveService
from audits.service.reports.reports import ReportService
from audits.service.reports.templates import ReportTemplateService
from audits.service.rules_watch import RulesWatch
from audits.service.systems.register import RegisterServices

__all__ = ["AuditsServices"]


@dataclass(frozen=True, slots=True)
class AuditsServices:
    """The plane's services. ``folder_sink`` makes a sink of a folder for exports.

    ``cosigning`` is None where no witness is set.
    """

    ledger: LedgerService
    cosigning: Cosigning | None
    holds: HoldService
    traces: PersonTraceService
    folder_sink: Callable[[Path], TileSink]
    assessments: AssessmentService
    answers: AnswerService
    controls: ControlService
    schedules: ScheduleService
    rounds: ControlRounds
    reports: ReportService
    archives: ArchiveService
    templates: ReportTemplateService
    rectification: RectificationServices
    register: RegisterServices
    records: RecordService
    collectors: CollectorService
    catalogues: CatalogueService
    rules_watch: RulesWatch
