"""Where records of evidence are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from audits.models.records import Record, RecordFilter
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class Records(Protocol):
    """Keeps records; the documents lie among the blobs."""

    def add(self, tx: Transaction, record: Record) -> None:
        """Store a new record."""
        ...

    def change(self, tx: Transaction, record: Record) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile``."""
        ...

    def get(self, tx: Transaction, org_id: str, record_id: str) -> Record:
        """Return a record, withdrawn ones too; raise ``RecordNotFound``."""
        ...

    def page(
        self, tx: Transaction, org_id: str, wanted: RecordFilter, page: PageRequest
    ) -> Page[Record]:
        """Return the records that are wanted, the last uploaded first."""
        ...

    def in_scope(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[Record]:
        """Return what is not withdrawn and counts for a system, the newest held first."""
        ...

    def usage(self, tx: Transaction, org_id: str) -> tuple[int, int]:
        """Return how many records there are, withdrawn ones too, and their documents' bytes."""
        ...
