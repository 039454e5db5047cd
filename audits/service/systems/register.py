"""The services of the register, put together."""

from __future__ import annotations

from dataclasses import dataclass

from audits.service.systems.assets import AssetService
from audits.service.systems.evidence import RegisterEvidence
from audits.service.systems.keeping import RegisterParts
from audits.service.systems.suppliers import SupplierService
from audits.service.systems.systems import SystemService
from audits.service.systems.tables import RegisterTables


@dataclass(frozen=True, slots=True)
class RegisterServices:
    """What is done with systems, assets and suppliers' accesses, and with whole tables of them."""

    systems: SystemService
    assets: AssetService
    suppliers: SupplierService
    tables: RegisterTables
    evidence: RegisterEvidence


def build_register(register: RegisterParts) -> RegisterServices:
    """Return the services over what they share."""
    return RegisterServices(
        systems=SystemService(register),
        assets=AssetService(register),
        suppliers=SupplierService(register),
        tables=RegisterTables(register),
        evidence=RegisterEvidence(register),
    )
