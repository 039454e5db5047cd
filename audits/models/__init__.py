"""Values of the audits plane: frozen, without behaviour that needs the outside world."""

from audits.models.ledger import (
    Addition,
    Checkpoint,
    CheckpointKeys,
    DoorBatch,
    Entry,
    EntryFilter,
    EntryRow,
    FirstBad,
    LedgerHead,
    LedgerHealth,
    LedgerVerdict,
    Position,
    StoredEntry,
    StoredSubtree,
)
from audits.models.options import AuditsOptions

__all__ = [
    "Addition",
    "AuditsOptions",
    "Checkpoint",
    "CheckpointKeys",
    "DoorBatch",
    "Entry",
    "EntryFilter",
    "EntryRow",
    "FirstBad",
    "LedgerHead",
    "LedgerHealth",
    "LedgerVerdict",
    "Position",
    "StoredEntry",
    "StoredSubtree",
]
