"""The register of playbooks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from playbooks.errors import PlaybookNotFound
from playbooks.models import StoredPlaybook
from playbooks.store.rows import change_one, fields_of, to_json
from playbooks.store.tables import playbooks
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction


def _playbook(row: Any) -> StoredPlaybook:
    values = fields_of(row, "signatures")
    return StoredPlaybook(**{**values, "signatures": tuple(values["signatures"])})


def _row(playbook: StoredPlaybook) -> dict[str, Any]:
    return {**asdict(playbook), "signatures": to_json(list(playbook.signatures))}


class Playbooks:
    """Implements ``playbooks.ports.PlaybookStore``."""

    def add(self, transaction: Transaction, playbook: StoredPlaybook) -> None:
        """Store what is new to the organisation."""
        transaction.execute(playbooks.insert().values(**_row(playbook)))

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

    def change(
        self, transaction: Transaction, playbook: StoredPlaybook, *, was: StoredPlaybook
    ) -> None:
        """Store it if state and approval are still as in ``was``; raise otherwise."""
        change_one(
            transaction,
            playbooks.update()
            .where(
                playbooks.c.org_id == was.org_id,
                playbooks.c.content_hash == was.content_hash,
                playbooks.c.state == was.state,
                playbooks.c.approval_id.is_(None)
                if was.approval_id is None
                else playbooks.c.approval_id == was.approval_id,
            )
            .values(**_row(playbook)),
            f"{was.content_hash} was changed meanwhile",
        )

    def count(self, transaction: Transaction, org_id: str) -> int:
        """Return how many entries an organisation has."""
        counted = sa.select(sa.func.count()).where(playbooks.c.org_id == org_id)
        return int(transaction.execute(counted).scalar_one())

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

    def newest(
        self, transaction: Transaction, org_id: str, playbook_id: str
    ) -> StoredPlaybook | None:
        """Return the newest approved version of a playbook."""
        row = transaction.execute(
            playbooks.select()
            .where(
                playbooks.c.org_id == org_id,
                playbooks.c.playbook_id == playbook_id,
                playbooks.c.state == "approved",
            )
            .order_by(playbooks.c.modified.desc(), playbooks.c.imported_at.desc())
            .limit(1)
        ).first()
        return None if row is None else _playbook(row)
