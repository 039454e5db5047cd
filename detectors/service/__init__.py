"""Use cases of the detectors plane, and the one object that holds them."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.service.alerts import AlertService
from detectors.service.rules import RuleService
from detectors.service.runs import RunService

__all__ = ["DetectorsServices"]


@dataclass(frozen=True, slots=True)
class DetectorsServices:
    """Logs first, then what is found in them."""

    rules: RuleService
    runs: RunService
    alerts: AlertService
