"""Imported rule folders in the database."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from detectors.models.rule_folders import FolderPolicy, RuleFolder
from detectors.store.tables import rule_folders
from secops.kernel.transactions import Transaction


class DatabaseRuleFolders:
    """One row a folder; statuses and levels stand as words with spaces between."""

    def folders(self, tx: Transaction, org_id: str) -> Sequence[RuleFolder]:
        """Return them by name."""
        table = rule_folders
        rows = tx.execute(sa.select(table).where(table.c.org_id == org_id).order_by(table.c.name))
        return [
            RuleFolder(
                name=row.name,
                licence=row.licence,
                origin=row.origin,
                digest=row.digest,
                files=row.files,
                size=row.size,
                imported_by=row.imported_by,
                imported_at=row.imported_at,
                policy=FolderPolicy(tuple(row.statuses.split()), tuple(row.levels.split())),
            )
            for row in rows
        ]

    def put(self, tx: Transaction, org_id: str, folder: RuleFolder) -> None:
        """Store a folder, in the place of one of the same name."""
        self.remove(tx, org_id, folder.name)
        tx.execute(
            rule_folders.insert().values(
                org_id=org_id,
                name=folder.name,
                licence=folder.licence,
                origin=folder.origin,
                digest=folder.digest,
                files=folder.files,
                size=folder.size,
                statuses=" ".join(folder.policy.statuses),
                levels=" ".join(folder.policy.levels),
                imported_by=folder.imported_by,
                imported_at=folder.imported_at,
            )
        )

    def set_policy(self, tx: Transaction, org_id: str, name: str, policy: FolderPolicy) -> bool:
        """Store which rules run; False if there is no such folder."""
        values = {"statuses": " ".join(policy.statuses), "levels": " ".join(policy.levels)}
        done = tx.execute(rule_folders.update().where(*_key(org_id, name)).values(**values))
        return bool(done.rowcount == 1)

    def remove(self, tx: Transaction, org_id: str, name: str) -> bool:
        """Forget a folder; False if there is none."""
        done = tx.execute(rule_folders.delete().where(*_key(org_id, name)))
        return bool(done.rowcount == 1)


def _key(org_id: str, name: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return rule_folders.c.org_id == org_id, rule_folders.c.name == name
