"""OSCAL 1.2.1 (NIST): assessment results, and a plan of action and milestones, from a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from audits.core.oscal.plan_of_action import plan_of_action_of
from audits.core.oscal.results import assessment_results_of
from audits.models.forms import Form

__all__ = ["OSCAL", "assessment_results_of", "plan_of_action_of"]

OSCAL: Final[Mapping[Form, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = {
    "oscal": assessment_results_of,
    "oscal-poam": plan_of_action_of,
}
"""The forms of a report that are made here."""
