"""Bundles of hosts: imported for assets, shown with their age, given to assessments as evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.collectors.bundle import open_bundle
from audits.core.collectors.facts import read_facts
from audits.core.collectors.matching import assets_of
from audits.errors import BundleRejected, TooManyKept
from audits.models.collectors import (
    COLLECTION,
    FAMILIES,
    VALID_DAYS,
    AssetCollection,
    AssetFacts,
    Bundle,
    ImportedBundle,
    Reading,
    Section,
)
from audits.models.evidence import Origin, Snapshot
from audits.models.systems import THIS_INSTANCE, Asset, Scope
from audits.ports.collectors import Collections, FindScope
from audits.service.collectors.imports import RawBundle, prepare, snapshot_of
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import IMPORT_BUNDLE, READ_BUNDLES
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_PER_ASSET: Final = 1_000
"""Bundles of one asset: one a day for nearly three years."""


@dataclass(frozen=True, slots=True)
class ShownBundle:
    """A bundle opened anew from the bytes that were imported, and what is read in it.

    ``readings`` are what the collectors of today read, ``bundle.kinds`` what counted then.
    """

    bundle: ImportedBundle
    sections: Sequence[Section]
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class CollectorService:
    """Imports and shows bundles."""

    parts: Parts
    store: Collections
    find_scope: FindScope

    def import_bundle(
        self, actor: Actor, content: bytes, *, system_id: str = THIS_INSTANCE, asset_id: str = ""
    ) -> Sequence[ImportedBundle]:
        """Keep a bundle for the asset named, or for those with the host's name or address.

        The same bytes are kept once an asset; of what is refused nothing is kept. Raises
        ``BundleRejected``, ``AssetNotMatched``, ``SystemNotFound``, ``TooManyKept``.
        """
        self.parts.access.require(actor, IMPORT_BUNDLE, f"system:{system_id}")
        digest = hashlib.sha256(content).hexdigest()
        scope = self.find_scope(actor, system_id)
        bundle = self._open(actor, content, digest)
        assets = assets_of(bundle, scope.assets, asset_id)
        known = self.parts.transactions.read(
            lambda tx: self._known(tx, actor.org_id, assets, digest)
        )
        if len(known) == len(assets):
            return known
        raw = RawBundle(bundle, digest, len(content))
        prepared = [prepare(self.parts, actor, raw, asset) for asset in assets]
        self.parts.blobs.put(content)
        return self.parts.transactions.run(
            lambda tx: [self._keep(tx, actor, row, facts) for row, facts in prepared]
        )

    def _known(
        self, tx: Transaction, org_id: str, assets: Sequence[Asset], digest: str
    ) -> Sequence[ImportedBundle]:
        """Return what is kept of these bytes; raise ``TooManyKept`` where no more may be."""
        found = [(each, self.store.known(tx, org_id, each.id, digest)) for each in assets]
        for asset, known in found:
            if known is None:
                self._require_room(tx, org_id, asset.id)
        return [known for _, known in found if known is not None]

    def _require_room(self, tx: Transaction, org_id: str, asset_id: str) -> None:
        if self.store.count(tx, org_id, asset_id) >= MAX_PER_ASSET:
            raise TooManyKept(f"an asset has at most {MAX_PER_ASSET} bundles")

    def _open(self, actor: Actor, content: bytes, digest: str) -> Bundle:
        try:
            return open_bundle(content)
        except BundleRejected as refused:
            # a file that was changed on its way is a finding: the ledger says who brought it
            details = {"code": refused.code, "bundle": digest, "size": len(content)}
            self.parts.trail.append(
                [Act("audits.import_bundle", actor, f"bundle:{digest}", "refused", details)]
            )
            raise

    def _keep(
        self, tx: Transaction, actor: Actor, row: ImportedBundle, facts: Sequence[AssetFacts]
    ) -> ImportedBundle:
        known = self.store.known(tx, row.org_id, row.asset_id, row.digest)
        if known is not None:
            return known
        self._require_room(tx, row.org_id, row.asset_id)
        self.store.add(tx, row)
        newest = [each.kind for each in facts if self.store.renew(tx, each)]
        details = {
            "system": row.system_id,
            "asset": row.asset_id,
            "bundle": row.digest,
            "collected_at": row.collected_at,
            "kinds": newest,
            "evidence": {each.kind: each.digest for each in facts},
            "unread": len(row.unread),
        }
        tx.record(Act("audits.import_bundle", actor, f"bundle:{row.id}", details=details))
        return row

    def list_bundles(
        self, actor: Actor, page: PageRequest, asset_id: str = ""
    ) -> Page[ImportedBundle]:
        """Return the organisation's bundles (of one asset, where named), last imported first."""
        self.parts.access.require(actor, READ_BUNDLES, "bundle:*")
        return self.parts.transactions.read(
            lambda tx: self.store.page(tx, actor.org_id, page, asset_id)
        )

    def show_bundle(self, actor: Actor, bundle_id: str) -> ShownBundle:
        """Return a bundle and what is in it; raise ``BundleNotFound``."""
        self.parts.access.require(actor, READ_BUNDLES, f"bundle:{bundle_id}")
        row = self.parts.transactions.read(lambda tx: self.store.get(tx, actor.org_id, bundle_id))
        opened = open_bundle(self.parts.blobs.get(row.digest))
        family = row.kinds[0].partition(".")[0] if row.kinds else ""
        return ShownBundle(row, tuple(opened.sections.values()), read_facts(opened, family))

    def list_collections(
        self, actor: Actor, page: PageRequest, system_id: str = THIS_INSTANCE
    ) -> Page[AssetCollection]:
        """Return the assets that a bundle can tell of, by name, each with its newest bundle."""
        self.parts.access.require(actor, READ_BUNDLES, f"system:{system_id}")
        after = page.key(str, str)
        assets = sorted(
            (
                asset
                for asset in self._collected(actor, system_id)
                if after is None or _key(asset) > after
            ),
            key=_key,
        )[: page.limit + 1]
        newest = self.parts.transactions.read(
            lambda tx: self.store.newest(tx, actor.org_id, [asset.id for asset in assets])
        )
        now = self.parts.clock.now()
        rows = [_collection(asset, newest.get(asset.id), now) for asset in assets]
        return page_of(rows, page.limit, [_key(asset) for asset in assets])

    def _collected(self, actor: Actor, system_id: str) -> Sequence[Asset]:
        scope = self.find_scope(actor, system_id)
        return [asset for asset in scope.assets if asset.kind in FAMILIES]

    def evidence(self, actor: Actor, scope: Scope, at: int) -> Sequence[Snapshot]:
        """Return the facts of the newest bundle of each asset in scope: an ``EvidenceSource``.

        What was collected longer than ``VALID_DAYS`` ago is left out, except its age. So is
        what an older bundle told and the newest could not read: it may be otherwise by now.
        """
        kinds = {each.id: FAMILIES[each.kind] for each in scope.assets if each.kind in FAMILIES}
        org, since = actor.org_id, at - VALID_DAYS * DAY

        def read(tx: Transaction) -> tuple[Sequence[AssetFacts], Mapping[str, ImportedBundle]]:
            facts = self.store.facts(tx, org, scope.system.id, since)
            return facts, self.store.newest(tx, org, list(kinds))

        facts, newest = self.parts.transactions.read(read)
        told = [
            snapshot_of(each)
            for each in facts
            if kinds.get(each.asset_id) == each.kind.partition(".")[0]
            and each.collected_at >= newest[each.asset_id].collected_at
        ]
        ages = [_age(row, f"{kinds[row.asset_id]}.{COLLECTION}", at) for row in newest.values()]
        return [*told, *ages]


def _key(asset: Asset) -> tuple[str, str]:
    return asset.name, asset.id


def _collection(asset: Asset, newest: ImportedBundle | None, now: int) -> AssetCollection:
    return AssetCollection(
        asset_id=asset.id,
        name=asset.name,
        kind=asset.kind,
        address=asset.address,
        newest=newest,
        age_days=None if newest is None else max(0, now - newest.collected_at) // DAY,
    )


def _age(row: ImportedBundle, kind: str, at: int) -> Snapshot:
    """Return how old an asset's newest bundle is, and how much of it was not read."""
    facts = {
        "age_days": max(0, at - row.collected_at) // DAY,
        "sections": row.sections,
        "unread": len(row.unread),
        "as_root": row.as_root,
    }
    link = f"/collectors/bundles/{row.id}"
    origin = Origin(source=f"{__name__}:{COLLECTION}", link=link, raw=row.digest)
    return Snapshot(kind, facts, origin, at, row.asset_id)
