"""The services of zero trust that people call."""

from __future__ import annotations

from dataclasses import dataclass

from iam.service.protection.applications import ApplicationService
from iam.service.protection.devices import DeviceService
from iam.service.protection.locks import LockService
from iam.service.zero_trust.policies import PolicyService


@dataclass(frozen=True, slots=True)
class ProtectionServices:
    """Policies, locks, devices, and which applications open."""

    policies: PolicyService
    locks: LockService
    devices: DeviceService
    applications: ApplicationService
