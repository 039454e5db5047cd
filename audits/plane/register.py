"""Wires the register of systems and the records of evidence."""

from __future__ import annotations

from audits.adapters.controls import PackagedCatalogues
from audits.adapters.rendering.filing_papers import WordFilingPapers
from audits.adapters.spreadsheets import Workbooks
from audits.core.standards import READERS
from audits.ports import AuditsPorts
from audits.service.records.records import RecordService
from audits.service.systems.keeping import RegisterParts, RegisterStores
from audits.service.systems.register import RegisterServices, build_register
from audits.store.records import DatabaseRecords
from audits.store.systems import (
    DatabaseAssets,
    DatabaseRegisterHistory,
    DatabaseSupplierAccesses,
    DatabaseSystems,
)
from secops.kernel.parts import Parts


def build_systems(parts: Parts, ports: AuditsPorts) -> RegisterServices:
    """Return the services of the register."""
    stores = RegisterStores(
        systems=DatabaseSystems(),
        assets=DatabaseAssets(),
        accesses=DatabaseSupplierAccesses(),
        history=DatabaseRegisterHistory(),
    )
    return build_register(
        RegisterParts(
            parts=parts,
            stores=stores,
            log_sources=ports.known_sources,
            accounts=ports.active_accounts,
            spreadsheets=Workbooks(),
            filing_papers=WordFilingPapers(),
        )
    )


def build_records(parts: Parts) -> RecordService:
    """Return the service of records."""
    return RecordService(
        parts=parts,
        store=DatabaseRecords(),
        systems=DatabaseSystems(),
        catalogues=PackagedCatalogues(READERS),
        standards=tuple(READERS),
    )
