"""Templates of reports that an office made itself."""

from __future__ import annotations

from dataclasses import dataclass

from audits.models.forms import Form


@dataclass(frozen=True, slots=True)
class ReportTemplate:
    """One version of a template: kept under the SHA-256 of its bytes, never changed.

    Versions of one ``name`` and ``form`` count from 1. ``retired_at`` is 0 while it is in use.
    """

    id: str
    org_id: str
    form: Form
    name: str
    version: int
    digest: str
    size: int
    account_id: str
    added_by: str
    added_at: int
    retired_at: int = 0
