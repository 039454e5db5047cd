"""Where provisioned users and groups are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.scim import ScimRow
from secops.kernel.transactions import Transaction


class ScimStore(Protocol):
    """Users (by account) and groups; deleted users stay as tombstones that nothing returns."""

    def add_user(self, tx: Transaction, row: ScimRow) -> None:
        """Store a new one."""
        ...

    def change_user(self, tx: Transaction, row: ScimRow, version: int) -> bool:
        """Store it in place of ``version``; False if another one is there, or none."""
        ...

    def user(self, tx: Transaction, org_id: str, account_id: str) -> ScimRow | None:
        """Return it unless it was deleted."""
        ...

    def users(self, tx: Transaction, org_id: str, limit: int) -> Sequence[ScimRow]:
        """Return users by id."""
        ...

    def bury_user(self, tx: Transaction, account_id: str, version: int) -> bool:
        """Leave nothing of ``version`` but a tombstone; False if another one is there."""
        ...

    def rename(self, tx: Transaction, account_id: str, name: str, name_key: str) -> None:
        """Give an account another name; raise ``NameTaken``."""
        ...

    def add_group(self, tx: Transaction, row: ScimRow) -> None:
        """Store a new one."""
        ...

    def change_group(self, tx: Transaction, row: ScimRow, version: int) -> bool:
        """Store it in place of ``version``; False if another one is there, or none."""
        ...

    def group(self, tx: Transaction, org_id: str, group_id: str) -> ScimRow | None:
        """Return it."""
        ...

    def groups(self, tx: Transaction, org_id: str, limit: int) -> Sequence[ScimRow]:
        """Return groups by id."""
        ...

    def drop_group(self, tx: Transaction, group_id: str, version: int) -> bool:
        """Remove ``version``; False if another one is there, or none."""
        ...
