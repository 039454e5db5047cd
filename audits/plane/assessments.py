"""Wires assessments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audits.adapters.controls import PackagedCatalogues
from audits.core.standards import READERS
from audits.ports.assessments import AnnexSources, EvidenceSource, RolesNow
from audits.service.assessments.answers import AnswerService
from audits.service.assessments.assessments import AssessmentParts, AssessmentService
from audits.service.assessments.controls import ControlService
from audits.service.assessments.inquiry import Inquiry
from audits.service.assessments.noting import Noting
from audits.service.assessments.rounds import ControlRounds
from audits.service.assessments.schedules import ScheduleService
from audits.service.systems.scopes import Scopes
from audits.store.assessments import DatabaseAssessments
from audits.store.controls import DatabaseControls, DatabaseSchedules
from secops.kernel.parts import Parts


@dataclass(frozen=True, slots=True)
class Assessing:
    """All services of assessments."""

    assessments: AssessmentService
    answers: AnswerService
    controls: ControlService
    schedules: ScheduleService
    rounds: ControlRounds


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What other families give: evidence, rows for annexes, and who may do what by now."""

    sources: Sequence[EvidenceSource]
    annexes: AnnexSources
    roles: RolesNow


def build_assessments(parts: Parts, scopes: Scopes, around: Surroundings) -> Assessing:
    """Return the services of assessments."""
    store, controls = DatabaseAssessments(), DatabaseControls()
    catalogues = PackagedCatalogues(READERS)
    inquiry = Inquiry(parts, store, catalogues, tuple(around.sources))
    noting = Noting(controls, parts.ids)
    means = AssessmentParts(scopes, inquiry, noting, around.annexes)
    assessments = AssessmentService(parts, store, means)
    return Assessing(
        assessments=assessments,
        answers=AnswerService(parts, store, inquiry, scopes),
        controls=ControlService(parts, controls, catalogues),
        schedules=ScheduleService(parts, DatabaseSchedules(), assessments, around.roles),
        rounds=ControlRounds(parts, controls, scopes, inquiry, noting),
    )
