"""Assets: registered, changed, retired; which log sources they claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from audits.core.register.facts import claimed
from audits.core.register.fields import ASSET_FIELDS, asset_texts
from audits.core.texts import bounded
from audits.errors import TooManyKept
from audits.models.systems import Asset, ClaimedSource, RegisterVersion, SourceCoverage
from audits.service.refusals import refusals_recorded
from audits.service.systems.keeping import (
    MAX_ASSETS,
    MAX_REASON,
    Kept,
    RegisterParts,
    needed,
    note,
    read_written,
    unchanged,
)
from audits.service.systems.scopes import stored_system, system_in_use
from audits.service.systems.systems import live_assets, live_systems
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.audits import READ_REGISTER, WRITE_REGISTER
from secops.kernel.transactions import Transaction

NEEDED: Final = ("name", "kind")


@dataclass(frozen=True, slots=True)
class AssetView:
    """An asset with its versions, newest first."""

    asset: Asset
    versions: tuple[RegisterVersion, ...]


@dataclass(frozen=True, slots=True)
class AssetService:
    """Keeps the assets of an organisation's systems."""

    register: RegisterParts

    def add_asset(self, actor: Actor, system_id: str, written: Mapping[str, str]) -> Asset:
        """Register an asset of a system; raise ``FieldRefused``, ``SystemNotFound``."""
        parts = self.register.parts
        parts.access.require(actor, WRITE_REGISTER, f"system:{system_id}")
        needed(written, NEEDED, ASSET_FIELDS)
        blank = Asset(
            id=parts.ids.new("ast"), org_id=actor.org_id, system_id=system_id, name="", kind="host"
        )
        asset = asset_of(blank, written)

        def work(tx: Transaction) -> Asset:
            system_in_use(self.register.stores.systems, tx, actor.org_id, system_id)
            return store_new_asset(self.register, tx, actor, asset)

        with refusals_recorded(parts, "audits.add_asset", actor, f"system:{system_id}"):
            return parts.transactions.run(work)

    def change_asset(
        self, actor: Actor, asset_id: str, version: int, written: Mapping[str, str]
    ) -> Asset:
        """Change the fields ``written`` of the ``version`` that was read."""
        parts = self.register.parts
        parts.access.require(actor, WRITE_REGISTER, f"asset:{asset_id}")

        def work(tx: Transaction) -> Asset:
            before = self._stored(tx, actor, asset_id, version)
            changed = asset_of(before, written)
            return store_changed_asset(self.register, tx, actor, before, changed)

        with refusals_recorded(parts, "audits.change_asset", actor, f"asset:{asset_id}"):
            return parts.transactions.run(work)

    def retire_asset(self, actor: Actor, asset_id: str, version: int, reason: str) -> Asset:
        """Take an asset out of use; it stays to be read."""
        parts = self.register.parts
        parts.access.require(actor, WRITE_REGISTER, f"asset:{asset_id}")
        why = bounded(reason, MAX_REASON, "reason")

        def work(tx: Transaction) -> Asset:
            before = self._stored(tx, actor, asset_id, version)
            retired = replace(before, version=version + 1, retired_at=tx.now, retired_reason=why)
            self.register.stores.assets.change(tx, retired)
            note_asset(self.register, tx, actor, "retire_asset", (before, retired))
            return retired

        with refusals_recorded(parts, "audits.retire_asset", actor, f"asset:{asset_id}"):
            return parts.transactions.run(work)

    def list_assets(self, actor: Actor, system_id: str, page: PageRequest) -> Page[Asset]:
        """Return the assets in use of a system, the last registered first."""
        self.register.parts.access.require(actor, READ_REGISTER, f"system:{system_id}")

        def read(tx: Transaction) -> Page[Asset]:
            stored_system(self.register.stores.systems, tx, actor.org_id, system_id)
            return self.register.stores.assets.page(tx, actor.org_id, system_id, page)

        return self.register.parts.transactions.read(read)

    def show_asset(self, actor: Actor, asset_id: str) -> AssetView:
        """Return an asset, retired ones too, with its versions; raise ``AssetNotFound``."""
        stores = self.register.stores
        self.register.parts.access.require(actor, READ_REGISTER, f"asset:{asset_id}")

        def read(tx: Transaction) -> AssetView:
            asset = stores.assets.get(tx, actor.org_id, asset_id)
            return AssetView(asset, tuple(stores.history.of(tx, actor.org_id, "asset", asset_id)))

        return self.register.parts.transactions.read(read)

    def show_source_coverage(self, actor: Actor) -> SourceCoverage:
        """Return every log source with the assets that claim it, and the assets that claim none.

        Where the caller may not see log sources, what assets claim is shown alone.
        """
        parts = self.register.parts
        parts.access.require(actor, READ_REGISTER, "system:*")

        def read(tx: Transaction) -> list[Asset]:
            systems = live_systems(self.register, tx, actor.org_id)
            return live_assets(self.register, tx, actor.org_id, systems)

        assets = parts.transactions.read(read)
        known = self.register.log_sources(actor)
        by_name = {source.name: source for source in known or ()}
        claims = claimed(assets)
        return SourceCoverage(
            tuple(
                ClaimedSource(name, by_name.get(name), tuple(claims.get(name, ())))
                for name in sorted({*by_name, *claims})
            ),
            tuple(asset for asset in assets if not asset.log_sources),
            readable=known is not None,
        )

    def _stored(self, tx: Transaction, actor: Actor, asset_id: str, version: int) -> Asset:
        asset = self.register.stores.assets.get(tx, actor.org_id, asset_id)
        system_in_use(self.register.stores.systems, tx, actor.org_id, asset.system_id)
        unchanged(version, asset.version, asset.retired_at)
        return asset


def asset_of(before: Asset, written: Mapping[str, str]) -> Asset:
    """Return ``before`` with what is ``written``; raise ``FieldRefused``."""
    return replace(before, **read_written((ASSET_FIELDS,), written)[0])


def store_new_asset(register: RegisterParts, tx: Transaction, actor: Actor, asset: Asset) -> Asset:
    """Store a new asset with its act; raise ``TooManyKept`` or ``NameInUse``."""
    if register.stores.assets.count(tx, actor.org_id) >= MAX_ASSETS:
        raise TooManyKept(f"an organisation has at most {MAX_ASSETS} assets")
    register.stores.assets.add(tx, asset)
    note_asset(register, tx, actor, "add_asset", (None, asset))
    return asset


def store_changed_asset(
    register: RegisterParts, tx: Transaction, actor: Actor, before: Asset, changed: Asset
) -> Asset:
    """Store a change with its act; nothing where nothing changed."""
    if changed == before:
        return before
    stored = replace(changed, version=before.version + 1)
    register.stores.assets.change(tx, stored)
    note_asset(register, tx, actor, "change_asset", (before, stored))
    return stored


def note_asset(
    register: RegisterParts,
    tx: Transaction,
    actor: Actor,
    verb: str,
    change: tuple[Asset | None, Asset],
) -> None:
    """Keep an asset's version and record what changed."""
    before, after = change
    was = _texts(before) if before else {}
    note(register, tx, actor, verb, Kept("asset", after.id, after.version, was, _texts(after)))


def _texts(asset: Asset) -> dict[str, str]:
    extra = {"retired_reason": asset.retired_reason, "system_id": asset.system_id}
    return {**asset_texts(asset), **extra}
