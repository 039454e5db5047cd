"""What the import of bundles needs from outside: scopes, storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from audits.models.collectors import AssetFacts, ImportedBundle
from audits.models.systems import Scope
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

FindScope = Callable[[Actor, str], Scope]
"""Returns a system of the actor's organisation with its assets; raises ``SystemNotFound``."""


class Collections(Protocol):
    """Keeps imported bundles, and the newest facts of each asset."""

    def add(self, tx: Transaction, bundle: ImportedBundle) -> None:
        """Store a bundle as imported; raise ``ChangedMeanwhile`` if that asset has it already."""
        ...

    def known(
        self, tx: Transaction, org_id: str, asset_id: str, digest: str
    ) -> ImportedBundle | None:
        """Return the import of these very bytes for an asset."""
        ...

    def count(self, tx: Transaction, org_id: str, asset_id: str) -> int:
        """Return how many bundles an asset has."""
        ...

    def get(self, tx: Transaction, org_id: str, bundle_id: str) -> ImportedBundle:
        """Return a bundle; raise ``BundleNotFound``."""
        ...

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, asset_id: str = ""
    ) -> Page[ImportedBundle]:
        """Return bundles (of one asset, where it is named), the last imported first."""
        ...

    def newest(
        self, tx: Transaction, org_id: str, asset_ids: Sequence[str]
    ) -> Mapping[str, ImportedBundle]:
        """Return the bundle collected last of each asset that has one."""
        ...

    def renew(self, tx: Transaction, facts: AssetFacts) -> bool:
        """Keep ``facts`` unless newer ones of that kind are there; tell whether they are kept."""
        ...

    def facts(
        self, tx: Transaction, org_id: str, system_id: str, since: int
    ) -> Sequence[AssetFacts]:
        """Return the facts about a system's assets that were collected at or after ``since``."""
        ...
