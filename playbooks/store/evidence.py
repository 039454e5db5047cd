"""Evidence, its links of custody, and hand-overs that wait for the receiver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from playbooks.errors.custody import EvidenceNotFound, EvidenceRefused
from playbooks.models.custody import CustodyLink, CustodyOffer, CustodySignature, Evidence
from playbooks.store.rows import change_one, fields_of, insert_once, to_json
from playbooks.store.tables import custody_links, custody_offers, evidence
from secops.kernel.transactions import Transaction


def _link_values(link: CustodyLink) -> dict[str, Any]:
    values = asdict(link)
    return {
        **values,
        "record": to_json(dict(link.record)),
        "signature": to_json(values["signature"]),
    }


def _link(row: Any) -> CustodyLink:
    values = fields_of(row, "record", "signature")
    return CustodyLink(**{**values, "signature": CustodySignature(**values["signature"])})


class EvidenceItems:
    """Implements ``playbooks.ports.custody.EvidenceStore``."""

    def add(self, transaction: Transaction, item: Evidence, link: CustodyLink) -> None:
        """Store a new item with its first link; raise ``EvidenceRefused`` for a known key."""
        if self.by_key(transaction, item.org_id, item.incident_id, item.key) is not None:
            msg = "something else was kept under this key"
            raise EvidenceRefused(msg)
        insert_once(transaction, evidence, asdict(item), "it was kept meanwhile")
        transaction.execute(custody_links.insert().values(**_link_values(link)))

    def get(self, transaction: Transaction, org_id: str, evidence_id: str) -> Evidence:
        """Return it; raise ``EvidenceNotFound``."""
        row = transaction.execute(
            evidence.select().where(evidence.c.id == evidence_id, evidence.c.org_id == org_id)
        ).first()
        if row is None:
            msg = f"no evidence {evidence_id[:60]}"
            raise EvidenceNotFound(msg)
        return Evidence(**fields_of(row))

    def by_key(
        self, transaction: Transaction, org_id: str, incident_id: str, key: str
    ) -> Evidence | None:
        """Return what was kept under an idempotency key."""
        row = transaction.execute(
            evidence.select().where(
                evidence.c.incident_id == incident_id,
                evidence.c.org_id == org_id,
                evidence.c.key == key,
            )
        ).first()
        return None if row is None else Evidence(**fields_of(row))

    def of(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Evidence]:
        """Return an incident's items, oldest first."""
        rows = transaction.execute(
            evidence.select()
            .where(evidence.c.incident_id == incident_id, evidence.c.org_id == org_id)
            .order_by(evidence.c.kept_at, evidence.c.id)
        )
        return [Evidence(**fields_of(row)) for row in rows]

    def extend(
        self, transaction: Transaction, before: Evidence, after: Evidence, link: CustodyLink
    ) -> None:
        """Add a link to ``before``; raise ``ChangedMeanwhile`` if it isn't the head any more."""
        change_one(
            transaction,
            evidence.update()
            .where(
                evidence.c.id == before.id,
                evidence.c.org_id == before.org_id,
                evidence.c.links == before.links,
                evidence.c.head == before.head,
                evidence.c.holder == before.holder,
            )
            .values(
                holder=after.holder,
                holder_is_person=after.holder_is_person,
                links=after.links,
                head=after.head,
            ),
            f"{before.id} changed hands since it was read",
        )
        transaction.execute(custody_links.insert().values(**_link_values(link)))

    def last_link(self, transaction: Transaction, item: Evidence) -> CustodyLink:
        """Return the link that is the head of an item's chain."""
        row = transaction.execute(
            custody_links.select().where(
                custody_links.c.evidence_id == item.id,
                custody_links.c.org_id == item.org_id,
                custody_links.c.seq == item.links,
            )
        ).one()
        return _link(row)

    def links(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[CustodyLink]:
        """Return the links of all an incident's items, by item and number."""
        rows = transaction.execute(
            custody_links.select()
            .where(custody_links.c.incident_id == incident_id, custody_links.c.org_id == org_id)
            .order_by(custody_links.c.evidence_id, custody_links.c.seq)
        )
        return [_link(row) for row in rows]

    def offer(self, transaction: Transaction, offer: CustodyOffer) -> bool:
        """Keep an offer; False if one waits already."""
        waiting = transaction.execute(
            sa.select(custody_offers.c.evidence_id).where(
                custody_offers.c.evidence_id == offer.evidence_id
            )
        ).first()
        if waiting is not None:
            return False
        insert_once(transaction, custody_offers, asdict(offer), "it was offered meanwhile")
        return True

    def offers(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[CustodyOffer]:
        """Return the offers of an incident that wait."""
        rows = transaction.execute(
            custody_offers.select()
            .where(custody_offers.c.incident_id == incident_id, custody_offers.c.org_id == org_id)
            .order_by(custody_offers.c.offered_at, custody_offers.c.evidence_id)
        )
        return [CustodyOffer(**fields_of(row)) for row in rows]

    def end_offer(self, transaction: Transaction, offer: CustodyOffer) -> bool:
        """Remove exactly this offer; False if it is gone or another one."""
        ended = transaction.execute(
            custody_offers.delete().where(
                custody_offers.c.evidence_id == offer.evidence_id,
                custody_offers.c.org_id == offer.org_id,
                custody_offers.c.giver == offer.giver,
                custody_offers.c.receiver == offer.receiver,
                custody_offers.c.offered_at == offer.offered_at,
            )
        )
        return int(ended.rowcount) == 1
