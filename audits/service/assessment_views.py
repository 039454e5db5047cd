"""Assessments and reports as JSON, for every face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audits.core.reports import document_of
from audits.models.compliance import Assessment, AssessmentSummary, VerifiedReport
from secops.kernel.clock import to_rfc3339


def assessment_view(assessment: Assessment) -> Mapping[str, Any]:
    """Return the document of an assessment."""
    return document_of(assessment)


def summary_view(summary: AssessmentSummary) -> dict[str, Any]:
    """Return one line of the list."""
    return {
        "id": summary.id,
        "standard": summary.standard,
        "level": summary.level,
        "system": summary.system_id,
        "made_at": to_rfc3339(summary.made_at),
        "made_by": summary.made_by,
        "judged": summary.judged,
        "applicable": summary.applicable,
    }


def verified_report_view(verified: VerifiedReport) -> dict[str, Any]:
    """Return what was proved of a report."""
    return {
        "valid": True,
        "sha256": verified.sha256,
        "sm3": verified.sm3,
        "assessment": verified.assessment_id,
        "signed_by": list(verified.signed_by),
        "entry": verified.entry,
        "checkpoint": verified.checkpoint,
    }
