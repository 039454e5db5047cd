"""Where provisioned users and groups are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.scim import ScimRow
from secops.kernel.transactions import Transaction


class ScimStore(Protocol):
    """Resources of one kind; each change names the version it replaces."""

    def add(self, tx: Transaction, row: ScimRow) -> None:
        """Store a new one."""
        ...

    def change(self, tx: Transaction, row: ScimRow, version: int) -> bool:
        """Store it in place of ``version``; False if another one is there, or none."""
        ...

    def get(self, tx: Transaction, org_id: str, identifier: str) -> ScimRow | None:
        """Return it unless it was removed."""
        ...

    def all(self, tx: Transaction, org_id: str, limit: int) -> Sequence[ScimRow]:
        """Return the organisation's by id."""
        ...

    def remove(self, tx: Transaction, identifier: str, version: int) -> bool:
        """Remove ``version``; False if another one is there, or none."""
        ...


class ScimUserStore(ScimStore, Protocol):
    """Users, by account: removed ones stay as tombstones that nothing returns."""

    def rename(self, tx: Transaction, account_id: str, name: str, name_key: str) -> None:
        """Give an account another name; raise ``NameTaken``."""
        ...
