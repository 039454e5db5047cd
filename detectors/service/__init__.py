"""Use cases of the detectors plane, and the one object that holds them."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.service.alerts import AlertService
from detectors.service.log_integrity import LogIntegrity
from detectors.service.logs import LogService
from detectors.service.rules import RuleService
from detectors.service.runs import RunService
from detectors.service.shipping import ShippingService
from detectors.service.sources import Follower, SourceService

__all__ = ["DetectorsServices"]


@dataclass(frozen=True, slots=True)
class DetectorsServices:
    """Logs first, then what is found in them."""

    logs: LogService
    integrity: LogIntegrity
    sources: SourceService
    follower: Follower
    shipping: ShippingService
    rules: RuleService
    runs: RunService
    alerts: AlertService
