"""The tree of organisations for other planes: names, what is below, what is above.

No route and no command leads here: who asks has asked for their own permission first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from iam.service.means import Means
from secops.kernel.actors import ROOT_ORG
from secops.kernel.errors import NotFound
from secops.kernel.pages import every_item
from secops.kernel.transactions import Transaction

MAX_BELOW: Final = 1_000


@dataclass(frozen=True, slots=True)
class UnitService:
    """Reads the tree."""

    means: Means

    def names(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of ``ids``; the root has none."""
        return self.means.parts.transactions.read(
            lambda tx: self.means.stores.organisations.names(tx, list(ids))
        )

    def below(self, org_id: str) -> Mapping[str, str]:
        """Return ``org_id`` and what is open below it, at most ``MAX_BELOW``, by id.

        The root's name is "".
        """

        def read(tx: Transaction) -> Mapping[str, str]:
            store = self.means.stores.organisations
            root = [(ROOT_ORG, "")] if org_id == ROOT_ORG else []
            listed = every_item(lambda page: store.page(tx, org_id, page, ("", "")))
            alive = ((each.id, each.name) for each in listed if each.closed_at is None)
            return dict(islice(chain(root, alive), MAX_BELOW))

        return self.means.parts.transactions.read(read)

    def above(self, org_id: str) -> Sequence[str]:
        """Return ``org_id`` and all above it, the highest first."""

        def read(tx: Transaction) -> Sequence[str]:
            store = self.means.stores.organisations
            root = [ROOT_ORG] if store.reaches(tx, ROOT_ORG, org_id) else []
            try:
                way = [each.id for each in store.view(tx, org_id).path]
            except NotFound:  # the root is no row
                way = [org_id]
            return list(dict.fromkeys((*root, *way)))

        return self.means.parts.transactions.read(read)
