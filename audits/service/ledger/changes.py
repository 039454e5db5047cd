"""What an entry changed, for its reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audits.core.entries import parse_record
from audits.core.entry_changes import FieldChange, differences, recorded_changes
from audits.errors import EntryNotFound
from audits.models import EntryFilter, StoredEntry
from audits.service.ledger.ledger import LedgerService
from secops.kernel.actors import Actor


@dataclass(frozen=True, slots=True)
class EntryChanges:
    """What an entry changed; ``against`` is the index of the entry it was compared with."""

    fields: tuple[FieldChange, ...]
    against: int | None = None


def entry_changes(ledger: LedgerService, actor: Actor, stored: StoredEntry) -> EntryChanges:
    """Return what an entry changed: as its act says, else against the same act on its target.

    Where the actor may not read that one, nothing is compared.
    """
    details, row = _details(stored), stored.row
    said = recorded_changes(details)
    if said or row is None or row.outcome != "done":
        return EntryChanges(said)
    wanted = EntryFilter(target=row.target, action=row.action, outcome="done")
    found = ledger.store.search(wanted, 1, stored.entry.index)
    if not found:
        return EntryChanges(())
    try:
        previous = ledger.get_entry(actor, str(found[0].index))
    except EntryNotFound:  # another organisation's
        return EntryChanges(())
    return EntryChanges(differences(_details(previous), details), found[0].index)


def _details(stored: StoredEntry) -> dict[str, Any]:
    details = parse_record(stored.entry.record).get("details")
    return details if isinstance(details, dict) else {}
