"""People and power: the services about organisations, mandates and shared decisions."""

from __future__ import annotations

from dataclasses import dataclass

from iam.service.people.change_requests import ChangeRequestService
from iam.service.people.departures import DepartureService
from iam.service.people.erasure import ErasureService
from iam.service.people.imports import ImportService
from iam.service.people.lending import LendingService
from iam.service.people.mandates import MandateService
from iam.service.people.matrix import MatrixService
from iam.service.people.organisations import OrganisationService
from iam.service.people.own import OwnService
from iam.service.people.profiles import ProfileService
from iam.service.people.units import UnitService
from iam.service.sign_on.acting import ActingService

__all__ = ["PowerServices"]


@dataclass(frozen=True, slots=True)
class PowerServices:
    """Who belongs where, who may act for whom, and what takes two persons."""

    organisations: OrganisationService
    mandates: MandateService
    acting: ActingService
    changes: ChangeRequestService
    departures: DepartureService
    erasures: ErasureService
    lending: LendingService
    imports: ImportService
    own: OwnService
    profiles: ProfileService
    matrix: MatrixService
    units: UnitService
