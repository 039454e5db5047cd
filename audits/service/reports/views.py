"""Reports as JSON, for every face."""

from __future__ import annotations

from typing import Any

from audits.models.reports import ExportedReport, VerifiedReport
from secops.kernel.clock import to_rfc3339


def verified_report_view(verified: VerifiedReport) -> dict[str, Any]:
    """Return what was proved of a report, or of one finding."""
    view = {
        "valid": True,
        "sha256": verified.sha256,
        "sm3": verified.sm3,
        "assessment": verified.assessment_id,
        "signed_by": list(verified.signed_by),
        "entry": verified.entry,
        "checkpoint": verified.checkpoint,
        "template": verified.template,
    }
    return view if verified.finding is None else {**view, "finding": dict(verified.finding)}


def exported_view(exported: ExportedReport) -> dict[str, Any]:
    """Return one line of the list of exports."""
    return {
        "id": exported.id,
        "assessment": exported.assessment_id,
        "form": exported.form,
        "language": exported.language,
        "sha256": exported.sha256,
        "sm3": exported.sm3,
        "length": exported.length,
        "exported_by": exported.exported_by,
        "at": to_rfc3339(exported.at),
        "partners": exported.partners.split(),
    }
