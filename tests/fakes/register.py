"""A register over SQLite, with log sources and accounts that a test sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from audits.adapters.controls import PackagedCatalogues
from audits.adapters.rendering.filing_papers import WordFilingPapers
from audits.adapters.spreadsheets import Workbooks
from audits.core.standards import READERS
from audits.models.systems import KnownSource
from audits.service.records.records import RecordService
from audits.service.systems.keeping import RegisterParts, RegisterStores
from audits.service.systems.register import RegisterServices, build_register
from audits.service.systems.scopes import Scopes
from audits.store.records import DatabaseRecords
from audits.store.systems import (
    DatabaseAssets,
    DatabaseRegisterHistory,
    DatabaseSupplierAccesses,
    DatabaseSystems,
)
from secops.adapters.spine import Spine
from secops.kernel.actors import Actor
from secops.kernel.permissions.roles import AUDITOR, SECURITY_ADMIN, SYSTEM_ADMIN
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine

KEEPER = Actor("account", "acc_keeper", "org_a", "keeper", frozenset({SYSTEM_ADMIN}))
READER = Actor("account", "acc_auditor", "org_a", "auditor", frozenset({AUDITOR}))
OFFICER = Actor("account", "acc_officer", "org_a", "officer", frozenset({SECURITY_ADMIN}))
STRANGER = Actor("account", "acc_other", "org_b", "other", frozenset({SYSTEM_ADMIN}))


@dataclass
class Outside:
    """What other planes would say."""

    sources: list[KnownSource] | None = field(default_factory=list)
    accounts: dict[str, bool] = field(default_factory=dict)

    def known_sources(self, actor: Actor) -> Sequence[KnownSource] | None:
        """Return the sources that were set."""
        del actor
        return self.sources

    def active_accounts(self, org_id: str, names: Sequence[str]) -> Mapping[str, bool]:
        """Return the accounts that were set, of one organisation."""
        return {n: self.accounts[n] for n in names if n in self.accounts and org_id == "org_a"}


@dataclass(frozen=True)
class RegisterRig:
    """The services with what stands around them."""

    register: RegisterServices
    records: RecordService
    scopes: Scopes
    outside: Outside
    clock: FakeClock
    spine: Spine


@contextmanager
def register_rig(home: Path) -> Iterator[RegisterRig]:
    """Open a register in ``home``."""
    clock, outside = FakeClock(), Outside()
    spine = database_spine(home, clock=clock)
    systems, assets = DatabaseSystems(), DatabaseAssets()
    stores = RegisterStores(systems, assets, DatabaseSupplierAccesses(), DatabaseRegisterHistory())
    parts = RegisterParts(
        spine.parts,
        stores,
        outside.known_sources,
        outside.active_accounts,
        Workbooks(),
        WordFilingPapers(),
    )
    records = RecordService(
        parts=spine.parts,
        store=DatabaseRecords(),
        systems=systems,
        catalogues=PackagedCatalogues(READERS),
        standards=("gbt22239",),
    )
    scopes = Scopes(spine.parts.transactions, systems, assets)
    try:
        yield RegisterRig(build_register(parts), records, scopes, outside, clock, spine)
    finally:
        spine.close()
