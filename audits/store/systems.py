"""The register of systems in the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from audits.errors import AssetNotFound, NameInUse, SupplierAccessNotFound, SystemNotFound
from audits.models.systems import Asset, RegisterKind, RegisterVersion, SupplierAccess, System
from audits.store.rows import change_version, count_rows, fields_of, newest_page, row_of, to_json
from audits.store.tables.systems import assets, register_versions, supplier_accesses, systems
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

_CHANGED: Final = "it changed since it was read"
_MOST_VERSIONS: Final = 200


class DatabaseSystems:
    """Implements ``audits.ports.systems.Systems``."""

    def add(self, tx: Transaction, system: System) -> None:
        """Store a new system; raise ``NameInUse``."""
        with _named(system.name):
            tx.execute(systems.insert().values(**_system_values(system)))

    def change(self, tx: Transaction, system: System) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` or ``NameInUse``."""
        with _named(system.name):
            change_version(tx, systems, _system_values(system), _CHANGED)

    def get(self, tx: Transaction, org_id: str, system_id: str) -> System:
        """Return a system, retired ones too; raise ``SystemNotFound``."""
        row = row_of(tx, systems, org_id, system_id)
        if row is None:
            raise SystemNotFound(f"no system {system_id[:80]!r}")
        return _system(row)

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[System]:
        """Return systems that are not retired, the last registered first."""
        return newest_page(tx, _live(systems, org_id), (systems.c.id,), page, read=_system)

    def live(self, tx: Transaction, org_id: str) -> Sequence[System]:
        """Return all that are not retired, by name."""
        rows = tx.execute(_live(systems, org_id).order_by(systems.c.name, systems.c.id))
        return [_system(row) for row in rows]

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many there are, retired ones too."""
        return count_rows(tx, systems, systems.c.org_id == org_id)


class DatabaseAssets:
    """Implements ``audits.ports.systems.Assets``."""

    def add(self, tx: Transaction, asset: Asset) -> None:
        """Store a new asset; raise ``NameInUse``."""
        with _named(asset.name):
            tx.execute(assets.insert().values(**_asset_values(asset)))

    def change(self, tx: Transaction, asset: Asset) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` or ``NameInUse``."""
        with _named(asset.name):
            change_version(tx, assets, _asset_values(asset), _CHANGED)

    def get(self, tx: Transaction, org_id: str, asset_id: str) -> Asset:
        """Return an asset, retired ones too; raise ``AssetNotFound``."""
        row = row_of(tx, assets, org_id, asset_id)
        if row is None:
            raise AssetNotFound(f"no asset {asset_id[:80]!r}")
        return _asset(row)

    def page(self, tx: Transaction, org_id: str, system_id: str, page: PageRequest) -> Page[Asset]:
        """Return a system's assets that are not retired, the last registered first."""
        mine = _live(assets, org_id).where(assets.c.system_id == system_id)
        return newest_page(tx, mine, (assets.c.id,), page, read=_asset)

    def live(self, tx: Transaction, org_id: str, system_id: str | None = None) -> Sequence[Asset]:
        """Return all that are not retired, by name; of one system where it is named."""
        wanted = _live(assets, org_id)
        if system_id is not None:
            wanted = wanted.where(assets.c.system_id == system_id)
        return [_asset(row) for row in tx.execute(wanted.order_by(assets.c.name, assets.c.id))]

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many there are, retired ones too."""
        return count_rows(tx, assets, assets.c.org_id == org_id)


class DatabaseSupplierAccesses:
    """Implements ``audits.ports.systems.SupplierAccesses``."""

    def add(self, tx: Transaction, access: SupplierAccess) -> None:
        """Store a new one."""
        tx.execute(supplier_accesses.insert().values(**asdict(access)))

    def change(self, tx: Transaction, access: SupplierAccess) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile``."""
        change_version(tx, supplier_accesses, asdict(access), _CHANGED)

    def get(self, tx: Transaction, org_id: str, access_id: str) -> SupplierAccess:
        """Return one; raise ``SupplierAccessNotFound``."""
        row = row_of(tx, supplier_accesses, org_id, access_id)
        if row is None:
            raise SupplierAccessNotFound(f"no access {access_id[:80]!r}")
        return _access(row)

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[SupplierAccess]:
        """Return all of an organisation, those that end last first."""
        columns = supplier_accesses.c
        mine = supplier_accesses.select().where(columns.org_id == org_id)
        return newest_page(tx, mine, (columns.ends_at, columns.id), page, read=_access)

    def of_system(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[SupplierAccess]:
        """Return those to one system, those that end last first."""
        columns = supplier_accesses.c
        rows = tx.execute(
            supplier_accesses.select()
            .where(columns.org_id == org_id, columns.system_id == system_id)
            .order_by(columns.ends_at.desc(), columns.id.desc())
        )
        return [_access(row) for row in rows]

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many there are."""
        return count_rows(tx, supplier_accesses, supplier_accesses.c.org_id == org_id)


class DatabaseRegisterHistory:
    """Implements ``audits.ports.systems.RegisterHistory``."""

    def add(self, tx: Transaction, version: RegisterVersion) -> None:
        """Store a version."""
        values = {**asdict(version), "content": to_json(version.content)}
        tx.execute(register_versions.insert().values(**values))

    def of(
        self, tx: Transaction, org_id: str, kind: RegisterKind, object_id: str
    ) -> Sequence[RegisterVersion]:
        """Return the last 200 versions of one object, the newest first."""
        columns = register_versions.c
        rows = tx.execute(
            register_versions.select()
            .where(columns.org_id == org_id, columns.kind == kind, columns.object_id == object_id)
            .order_by(columns.version.desc())
            .limit(_MOST_VERSIONS)
        )
        return [RegisterVersion(**fields_of(row, "content")) for row in rows]


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say it where the index of names forbids what is stored."""
    try:
        yield
    except IntegrityError as error:
        raise NameInUse(f"{name[:80]!r} is registered already") from error


def _live(table: sa.Table, org_id: str) -> Any:
    return table.select().where(table.c.org_id == org_id, table.c.retired_at == 0)


def _live_name(thing: System | Asset) -> str | None:
    return None if thing.retired_at else thing.name


def _system_values(system: System) -> dict[str, Any]:
    return {
        **asdict(system),
        "live_name": _live_name(system),
        "extensions": to_json(system.extensions),
        "uses": to_json(system.uses),
        "details": to_json(system.details),
    }


def _system(row: Any) -> System:
    values = fields_of(row, "extensions", "uses", "details")
    del values["live_name"]
    return System(
        **{**values, "extensions": tuple(values["extensions"]), "uses": tuple(values["uses"])}
    )


def _asset_values(asset: Asset) -> dict[str, Any]:
    return {
        **asdict(asset),
        "live_name": _live_name(asset),
        "log_sources": to_json(asset.log_sources),
    }


def _asset(row: Any) -> Asset:
    values = fields_of(row, "log_sources")
    del values["live_name"]
    return Asset(**{**values, "log_sources": tuple(values["log_sources"])})


def _access(row: Any) -> SupplierAccess:
    return SupplierAccess(**fields_of(row))
