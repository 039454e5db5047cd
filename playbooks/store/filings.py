"""What was declared and filed about incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from playbooks.models.filings import Filing
from playbooks.store.rows import fields_of, insert_once
from playbooks.store.tables import filings
from secops.kernel.transactions import Transaction


class Filings:
    """Implements ``playbooks.ports.FilingStore``."""

    def declare(self, transaction: Transaction, filing: Filing) -> bool:
        """Keep that a duty is owed; False if it is there."""
        if filing.duty in self.of(transaction, filing.org_id, filing.incident_id):
            return False
        insert_once(transaction, filings, asdict(filing), f"{filing.duty} was filed meanwhile")
        return True

    def file(self, transaction: Transaction, filing: Filing) -> bool:
        """Keep that a duty was fulfilled; False if it was before: only the first counts."""
        if self.declare(transaction, filing):
            return True
        changed = transaction.execute(
            filings.update()
            .where(
                filings.c.incident_id == filing.incident_id,
                filings.c.duty == filing.duty,
                filings.c.org_id == filing.org_id,
                filings.c.filed_at.is_(None),
            )
            .values(
                filed_at=filing.filed_at,
                filed_by=filing.filed_by,
                filed_to=filing.filed_to,
                reference=filing.reference,
            )
        )
        return int(changed.rowcount) == 1

    def of(self, transaction: Transaction, org_id: str, incident_id: str) -> Mapping[str, Filing]:
        """Return an incident's filings by duty."""
        rows = transaction.execute(
            filings.select().where(filings.c.incident_id == incident_id, filings.c.org_id == org_id)
        )
        return {row.duty: Filing(**fields_of(row)) for row in rows}
