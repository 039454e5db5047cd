"""The register of playbooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from playbooks.errors import PlaybookNotFound
from playbooks.models import StoredPlaybook
from playbooks.store.rows import fields_of
from playbooks.store.tables import playbooks
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction


def _playbook(row: Any) -> StoredPlaybook:
    return StoredPlaybook(**fields_of(row))


class Playbooks:
    """Implements ``playbooks.ports.PlaybookStore``."""

    def add(self, transaction: Transaction, playbook: StoredPlaybook) -> None:
        """Store what is new to the organisation."""
        transaction.execute(playbooks.insert().values(**asdict(playbook)))

    def get(self, transaction: Transaction, org_id: str, content_hash: str) -> StoredPlaybook:
        """Return it; raise ``PlaybookNotFound``."""
        row = transaction.execute(
            playbooks.select().where(
                playbooks.c.org_id == org_id, playbooks.c.content_hash == content_hash
            )
        ).first()
        if row is None:
            msg = f"no playbook {content_hash[:64]}"
            raise PlaybookNotFound(msg)
        return _playbook(row)

    def approve(
        self, transaction: Transaction, org_id: str, content_hash: str, approver_id: str
    ) -> bool:
        """Approve a draft that somebody else imported; False if it is none."""
        changed = transaction.execute(
            playbooks.update()
            .where(
                playbooks.c.org_id == org_id,
                playbooks.c.content_hash == content_hash,
                playbooks.c.state == "draft",
                playbooks.c.imported_by != approver_id,
            )
            .values(state="approved", approved_by=approver_id, approved_at=transaction.now)
        )
        return bool(changed.rowcount == 1)

    def list(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Page[StoredPlaybook]:
        """Return the register by name."""
        columns = (playbooks.c.name, playbooks.c.content_hash)
        statement = playbooks.select().where(playbooks.c.org_id == org_id)
        if (after := page.key(str, str)) is not None:
            statement = statement.where(sa.tuple_(*columns) > sa.tuple_(*after))
        rows = transaction.execute(statement.order_by(*columns).limit(page.limit + 1)).all()
        found = [_playbook(row) for row in rows]
        return page_of(found, page.limit, [(one.name, one.content_hash) for one in found])

    def by_id(self, transaction: Transaction, org_id: str) -> Mapping[str, StoredPlaybook]:
        """Return the newest approved playbook of each id."""
        rows = transaction.execute(
            playbooks.select()
            .where(playbooks.c.org_id == org_id, playbooks.c.state == "approved")
            .order_by(playbooks.c.modified, playbooks.c.imported_at)
        )
        return {row.playbook_id: _playbook(row) for row in rows}
