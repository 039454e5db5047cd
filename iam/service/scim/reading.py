"""Provisioned users and groups as they are kept, and as resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.models.accounts import Account
from iam.models.scim import ScimAnswer, ScimRow
from iam.ports import ScimStore
from iam.service.means import Means
from iam.service.scim.rendering import etag, model_of, scim_error
from secops.kernel.clock import to_rfc3339
from secops.kernel.transactions import Transaction

CEILING: Final = 5_000
"""Resources that one search looks at; more is ``tooMany``."""
OPEN: Final = ("active", "pending")


@dataclass(frozen=True, slots=True)
class Held:
    """One resource as it stood at one moment; ``account`` is a user's own row."""

    row: ScimRow
    account: Account | None
    document: dict[str, Any]
    resource: Any


@dataclass(frozen=True, slots=True)
class ScimReader:
    """Reads rows, opens what is sealed, and makes resources of both."""

    means: Means

    @property
    def base(self) -> str:
        """Return the address below which resources are."""
        return f"{self.means.options.issuer}/scim/v2"

    def store(self, kind: str) -> ScimStore:
        """Return where resources of a kind are kept."""
        stores = self.means.stores
        return stores.scim_users if kind == "Users" else stores.scim_groups

    def all(self, org_id: str, kind: str) -> list[Any]:
        """Return the organisation's resources of a kind, of one snapshot; raise ``tooMany``."""
        store = self.store(kind)

        def work(tx: Transaction) -> list[tuple[ScimRow, Account | None]]:
            rows = store.all(tx, org_id, CEILING + 1)
            return [(row, self._account(tx, kind, row)) for row in rows]

        found = self.means.parts.transactions.read(work)
        if len(found) > CEILING:
            raise scim_error("TooManyException")
        return [self.held(kind, row, account).resource for row, account in found]

    def one(self, org_id: str, kind: str, identifier: str) -> Held:
        """Return one of the organisation's; raise SCIM's not found."""
        store = self.store(kind)

        def work(tx: Transaction) -> tuple[ScimRow, Account | None] | None:
            row = store.get(tx, org_id, identifier)
            return None if row is None else (row, self._account(tx, kind, row))

        found = self.means.parts.transactions.read(work)
        if found is None:
            raise scim_error("NotFoundException")
        return self.held(kind, *found)

    def held(self, kind: str, row: ScimRow, account: Account | None) -> Held:
        """Return the resource of a row, with what other tables know of it."""
        document = self._document(kind, row)
        content = dict(document["resource"])
        if account is not None:
            content["userName"] = account.name
            if account.state not in OPEN or not document["silent"]:
                content["active"] = account.state in OPEN
        content["id"] = row.id
        content["meta"] = {
            "resourceType": "User" if kind == "Users" else "Group",
            "created": to_rfc3339(row.created_at),
            "lastModified": to_rfc3339(row.changed_at),
            "location": f"{self.base}/{kind}/{row.id}",
            "version": etag(row.version),
        }
        return Held(row, account, document, model_of(kind).model_validate(content))

    def answer(self, status: int, kind: str, row: ScimRow, body: object) -> ScimAnswer:
        """Return the answer that shows ``body``, a row's resource."""
        return ScimAnswer(status, body, row.version, f"{self.base}/{kind}/{row.id}")

    def seal(self, kind: str, identifier: str, document: dict[str, Any]) -> bytes:
        """Return what is kept of a document: a user's under the key pool."""
        plain = orjson.dumps(document)
        return self.means.box.seal(plain, _binding(identifier)) if kind == "Users" else plain

    def _document(self, kind: str, row: ScimRow) -> dict[str, Any]:
        """Return what is kept: the resource, and whether provisioning suspended the account."""
        plain = self.means.box.open(row.content, _binding(row.id)) if kind == "Users" else None
        document: dict[str, Any] = orjson.loads(plain or row.content)
        return document

    def _account(self, tx: Transaction, kind: str, row: ScimRow) -> Account | None:
        return self.means.stores.accounts.get(tx, row.id) if kind == "Users" else None


def _binding(account_id: str) -> bytes:
    return f"scim|{account_id}".encode()
