"""Where the register of systems is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from audits.models.filing import FilingSheet
from audits.models.systems import (
    Asset,
    KnownSource,
    RegisterKind,
    RegisterVersion,
    SupplierAccess,
    System,
)
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class Systems(Protocol):
    """Keeps systems; names are unique among those of an organisation that are not retired."""

    def add(self, tx: Transaction, system: System) -> None:
        """Store a new system; raise ``NameInUse``."""
        ...

    def change(self, tx: Transaction, system: System) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` or ``NameInUse``."""
        ...

    def get(self, tx: Transaction, org_id: str, system_id: str) -> System:
        """Return a system, retired ones too; raise ``SystemNotFound``."""
        ...

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[System]:
        """Return systems that are not retired, the last registered first."""
        ...

    def live(self, tx: Transaction, org_id: str) -> Sequence[System]:
        """Return all that are not retired, by name."""
        ...

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many there are, retired ones too."""
        ...


class Assets(Protocol):
    """Keeps assets; names are unique among those of a system that are not retired."""

    def add(self, tx: Transaction, asset: Asset) -> None:
        """Store a new asset; raise ``NameInUse``."""
        ...

    def change(self, tx: Transaction, asset: Asset) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` or ``NameInUse``."""
        ...

    def get(self, tx: Transaction, org_id: str, asset_id: str) -> Asset:
        """Return an asset, retired ones too; raise ``AssetNotFound``."""
        ...

    def page(self, tx: Transaction, org_id: str, system_id: str, page: PageRequest) -> Page[Asset]:
        """Return a system's assets that are not retired, the last registered first."""
        ...

    def live(self, tx: Transaction, org_id: str, system_id: str | None = None) -> Sequence[Asset]:
        """Return all that are not retired, by name; of one system where it is named."""
        ...

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many there are, retired ones too."""
        ...


class SupplierAccesses(Protocol):
    """Keeps what suppliers may reach."""

    def add(self, tx: Transaction, access: SupplierAccess) -> None:
        """Store a new one."""
        ...

    def change(self, tx: Transaction, access: SupplierAccess) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile``."""
        ...

    def get(self, tx: Transaction, org_id: str, access_id: str) -> SupplierAccess:
        """Return one; raise ``SupplierAccessNotFound``."""
        ...

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[SupplierAccess]:
        """Return all of an organisation, those that end last first."""
        ...

    def of_system(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[SupplierAccess]:
        """Return those to one system, those that end last first."""
        ...

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many there are."""
        ...


class RegisterHistory(Protocol):
    """Keeps every version of everything in the register."""

    def add(self, tx: Transaction, version: RegisterVersion) -> None:
        """Store a version."""
        ...

    def of(
        self, tx: Transaction, org_id: str, kind: RegisterKind, object_id: str
    ) -> Sequence[RegisterVersion]:
        """Return the last 200 versions of one object, the newest first."""
        ...


KnownSources = Callable[[Actor], Sequence[KnownSource] | None]
"""Returns the organisation's log sources, registered or heard, by name.

None where the actor may not see them.
"""
ActiveAccounts = Callable[[str, Sequence[str]], Mapping[str, bool]]
"""Returns, of an organisation, for each name that is an account whether it may act now."""


def no_sources(actor: Actor) -> None:
    """Know nothing of log sources, where no detectors are there."""
    del actor


def no_accounts(org_id: str, names: Sequence[str]) -> Mapping[str, bool]:
    """Know no accounts, where no identity is there."""
    del org_id, names
    return {}


Sheets = Mapping[str, Sequence[Sequence[str]]]
"""Rows of texts, the headings first, by the name of their sheet."""


class Spreadsheets(Protocol):
    """Reads and writes workbooks (XLSX)."""

    def read(self, content: bytes) -> Sheets:
        """Return the sheets; raise ``TableRefused`` for formulas, macros, links and bombs."""
        ...

    def write(self, sheets: Sheets) -> bytes:
        """Return a workbook whose cells are texts and nothing else."""
        ...


class FilingPapers(Protocol):
    """Writes filing data sheets as Word documents."""

    def write(self, sheet: FilingSheet) -> bytes:
        """Return a DOCX file that says what ``sheet`` says; the same bytes for the same sheet."""
        ...
