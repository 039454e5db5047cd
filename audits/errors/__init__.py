"""What the audits plane refuses, and what to do about it."""

from audits.errors.assessments import CatalogueRejected, UnknownStandard
from audits.errors.catalogues import CalculationRefused, ItemNotFound
from audits.errors.changes import ChangedMeanwhile, TooManyKept
from audits.errors.collectors import AssetNotMatched, BundleNotFound, BundleRejected
from audits.errors.ledger import (
    DoorDamaged,
    EntryNotFound,
    LeaseLost,
    LedgerDamaged,
    LedgerMissing,
    MalformedProof,
    NotCheckpointed,
    NoteRejected,
    ProofRejected,
    SignerLocked,
)
from audits.errors.records import RecordNotFound
from audits.errors.rendering import FontUnavailable, TemplateNotFound, TemplateRejected
from audits.errors.reports import (
    ArchiveTooLarge,
    ProtectionUnavailable,
    ReportChanged,
    ReportRejected,
)
from audits.errors.systems import (
    AssetNotFound,
    FieldRefused,
    NameInUse,
    Retired,
    SupplierAccessNotFound,
    SystemNotFound,
    TableRefused,
)

__all__ = [
    "ArchiveTooLarge",
    "AssetNotFound",
    "AssetNotMatched",
    "BundleNotFound",
    "BundleRejected",
    "CalculationRefused",
    "CatalogueRejected",
    "ChangedMeanwhile",
    "DoorDamaged",
    "EntryNotFound",
    "FieldRefused",
    "FontUnavailable",
    "ItemNotFound",
    "LeaseLost",
    "LedgerDamaged",
    "LedgerMissing",
    "MalformedProof",
    "NameInUse",
    "NotCheckpointed",
    "NoteRejected",
    "ProofRejected",
    "ProtectionUnavailable",
    "RecordNotFound",
    "ReportChanged",
    "ReportRejected",
    "Retired",
    "SignerLocked",
    "SupplierAccessNotFound",
    "SystemNotFound",
    "TableRefused",
    "TemplateNotFound",
    "TemplateRejected",
    "TooManyKept",
    "UnknownStandard",
]
