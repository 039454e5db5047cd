"""Imported bundles, and the newest facts of each asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from audits.errors import BundleNotFound
from audits.models.collectors import AssetFacts, ImportedBundle
from audits.store.rows import count_rows, fields_of, insert_once, newest_page, row_of, to_json
from audits.store.tables.collectors import collector_bundles as bundles
from audits.store.tables.collectors import collector_facts
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class DatabaseCollections:
    """Implements ``audits.ports.collectors.Collections``."""

    def add(self, tx: Transaction, bundle: ImportedBundle) -> None:
        """Store a bundle as imported; raise ``ChangedMeanwhile`` if that asset has it already."""
        lists = {"kinds": to_json(bundle.kinds), "unread": to_json(bundle.unread)}
        insert_once(tx, bundles, asdict(bundle) | lists, "the asset has this bundle already")

    def known(
        self, tx: Transaction, org_id: str, asset_id: str, digest: str
    ) -> ImportedBundle | None:
        """Return the import of these very bytes for an asset."""
        row = tx.execute(
            sa.select(bundles).where(
                bundles.c.org_id == org_id,
                bundles.c.asset_id == asset_id,
                bundles.c.digest == digest,
            )
        ).first()
        return None if row is None else _bundle(row)

    def count(self, tx: Transaction, org_id: str, asset_id: str) -> int:
        """Return how many bundles an asset has."""
        return count_rows(tx, bundles, bundles.c.org_id == org_id, bundles.c.asset_id == asset_id)

    def get(self, tx: Transaction, org_id: str, bundle_id: str) -> ImportedBundle:
        """Return a bundle; raise ``BundleNotFound``."""
        row = row_of(tx, bundles, org_id, bundle_id)
        if row is None:
            raise BundleNotFound(f"there is no bundle {bundle_id[:80]!r}")
        return _bundle(row)

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, asset_id: str = ""
    ) -> Page[ImportedBundle]:
        """Return bundles (of one asset, where it is named), the last imported first."""
        statement = sa.select(bundles).where(bundles.c.org_id == org_id)
        if asset_id:
            statement = statement.where(bundles.c.asset_id == asset_id)
        columns = (bundles.c.imported_at, bundles.c.id)
        return newest_page(tx, statement, columns, request, read=_bundle)

    def newest(
        self, tx: Transaction, org_id: str, asset_ids: Sequence[str]
    ) -> Mapping[str, ImportedBundle]:
        """Return the bundle collected last of each asset that has one."""
        rank = (
            sa.func.row_number()
            .over(
                partition_by=bundles.c.asset_id,
                order_by=(bundles.c.collected_at.desc(), bundles.c.id.desc()),
            )
            .label("rank")
        )
        of_assets = (bundles.c.org_id == org_id, bundles.c.asset_id.in_(asset_ids))
        ranked = sa.select(bundles, rank).where(*of_assets).subquery()
        columns = [ranked.c[column.name] for column in bundles.c]
        rows = tx.execute(sa.select(*columns).where(ranked.c.rank == 1))
        return {row.asset_id: _bundle(row) for row in rows}

    def renew(self, tx: Transaction, facts: AssetFacts) -> bool:
        """Keep ``facts`` unless newer ones of that kind are there; tell whether they are kept."""
        values = asdict(facts) | {
            "sections": to_json(facts.sections),
            "facts": to_json(dict(facts.facts)),
        }
        table = collector_facts
        of_asset = (
            table.c.org_id == facts.org_id,
            table.c.asset_id == facts.asset_id,
            table.c.kind == facts.kind,
        )
        older = sa.update(table).where(*of_asset, table.c.collected_at <= facts.collected_at)
        if tx.execute(older.values(**values)).rowcount:
            return True
        if tx.execute(sa.select(table.c.kind).where(*of_asset)).first() is not None:
            return False
        insert_once(tx, table, values, "the asset got facts of this kind meanwhile")
        return True

    def facts(
        self, tx: Transaction, org_id: str, system_id: str, since: int
    ) -> Sequence[AssetFacts]:
        """Return the facts about a system's assets that were collected at or after ``since``."""
        table = collector_facts
        rows = tx.execute(
            sa.select(table)
            .where(
                table.c.org_id == org_id,
                table.c.system_id == system_id,
                table.c.collected_at >= since,
            )
            .order_by(table.c.asset_id, table.c.kind)
        )
        return [_facts(row) for row in rows]


def _bundle(row: Any) -> ImportedBundle:
    fields = fields_of(row, "kinds", "unread")
    return ImportedBundle(
        **fields | {"kinds": tuple(fields["kinds"]), "unread": tuple(fields["unread"])}
    )


def _facts(row: Any) -> AssetFacts:
    fields = fields_of(row, "sections", "facts")
    return AssetFacts(**fields | {"sections": tuple(fields["sections"])})
