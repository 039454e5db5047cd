"""Whole tables of the register: preview, import (all or nothing), export."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from audits.core.register.changes import changes
from audits.core.register.dates import access_state
from audits.core.register.fields import (
    ASSET_FIELDS,
    DETAIL_FIELDS,
    SYSTEM_FIELDS,
    Fault,
    asset_texts,
    read_fields,
    system_texts,
)
from audits.core.register.records import MEDIA_TYPES
from audits.core.register.suppliers import ACCESS_FIELDS, access_texts
from audits.core.register.tables import (
    SHEETS,
    Kind,
    RegisterTable,
    TableRow,
    asset_rows,
    read_csv,
    read_table,
    system_rows,
    title_of,
    write_csv,
)
from audits.errors import TableRefused, TooManyKept
from audits.models.systems import ACCESS_STATES, MAX_TABLE_FILE, Asset, SupplierAccess, System
from audits.service.refusals import refusals_recorded
from audits.service.systems.keeping import (
    MAX_ASSETS,
    MAX_SYSTEMS,
    Kept,
    RegisterParts,
    keep_version,
)
from audits.service.systems.systems import live_assets, live_systems, with_values
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Language, Text
from secops.kernel.permissions.audits import READ_REGISTER, WRITE_REGISTER
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

RowAction = Literal["add", "change", "same", "faulty"]
ROW_ACTIONS: Final[dict[RowAction, Text]] = {
    "add": Text("新增", "New"),
    "change": Text("修改", "Changed"),
    "same": Text("无变化", "The same"),
    "faulty": Text("有误", "Faulty"),
}
XLSX: Final = MEDIA_TYPES["xlsx"]
MAX_TABLE: Final = MAX_TABLE_FILE
"""Bytes of a file that is imported."""
_ZIP: Final = b"PK\x03\x04"
_ACCESSES: Final = Text("供应商访问", "Suppliers' accesses")


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row: the heading, and why."""

    column: Text
    what: Text


@dataclass(frozen=True, slots=True)
class RowReport:
    """What importing a row does, or what is wrong with it."""

    kind: Kind
    number: int
    name: str
    action: RowAction
    fields: tuple[str, ...] = ()
    faults: tuple[RowFault, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterImport:
    """What importing a file does, or did; nothing is done where a row is faulty."""

    sha256: str
    rows: tuple[RowReport, ...]
    ignored: tuple[str, ...]

    def count(self, action: RowAction) -> int:
        """Return how many rows are so."""
        return sum(row.action == action for row in self.rows)

    @property
    def faulty(self) -> tuple[RowReport, ...]:
        """The rows with something wrong."""
        return tuple(row for row in self.rows if row.faults)


@dataclass(frozen=True, slots=True)
class _Change:
    """What becomes of a row: ``before`` None is new, ``after`` None can't be told."""

    row: TableRow
    before: System | Asset | None
    after: System | Asset | None
    faults: tuple[Fault, ...]

    @property
    def action(self) -> RowAction:
        if self.faults or self.after is None:
            return "faulty"
        if self.before is None:
            return "add"
        return "same" if self.after == self.before else "change"

    @property
    def texts(self) -> tuple[dict[str, str], dict[str, str]]:
        return _texts(self.before), _texts(self.after)


@dataclass(frozen=True, slots=True)
class RegisterTables:
    """Imports and exports the register."""

    register: RegisterParts

    def preview_systems(self, actor: Actor, content: bytes) -> RegisterImport:
        """Return what importing a CSV or XLSX file would do; raise ``TableRefused``."""
        self.register.parts.access.require(actor, WRITE_REGISTER, "system:*")
        table = self._table(content)
        return _report(content, table, self._plan(actor, table))

    def import_systems(self, actor: Actor, content: bytes) -> RegisterImport:
        """Import a CSV or XLSX file; raise ``TableRefused`` where a row of it is faulty."""
        parts = self.register.parts
        parts.access.require(actor, WRITE_REGISTER, "system:*")
        with refusals_recorded(parts, "audits.import_systems", actor, "system:*"):
            table = self._table(content)
            plan = self._plan(actor, table)
            report = _report(content, table, plan)
            if report.faulty:
                first = report.faulty[0]
                raise TableRefused(
                    f"{len(report.faulty)} rows are faulty, the first is {first.number}: "
                    f"{first.faults[0].column.en}: {first.faults[0].what.en}; nothing was imported",
                    rows=len(report.faulty),
                )
            self._apply(actor, report, [one for one in plan if one.action != "same"])
        return report

    def export_systems(self, actor: Actor, language: Language) -> bytes:
        """Return the register in use as a workbook: systems, assets, suppliers' accesses."""
        systems, assets, accesses = self._with_accesses(actor)
        names = {system.id: system.name for system in systems}
        now = self.register.parts.clock.now()
        content = self.register.spreadsheets.write(
            {
                SHEETS["systems"].into(language): system_rows(systems, language),
                SHEETS["assets"].into(language): asset_rows(assets, names, language),
                _ACCESSES.into(language): _access_rows(accesses, names, now, language),
            }
        )
        self._note_export(actor, "xlsx", content, len(systems) + len(assets))
        return content

    def export_table(self, actor: Actor, kind: Kind, language: Language) -> bytes:
        """Return the systems or the assets in use as CSV."""
        systems, assets = self._in_use(actor)
        names = {system.id: system.name for system in systems}
        if kind == "systems":
            content = write_csv(system_rows(systems, language))
        else:
            content = write_csv(asset_rows(assets, names, language))
        self._note_export(actor, "csv", content, len(systems if kind == "systems" else assets))
        return content

    def _table(self, content: bytes) -> RegisterTable:
        if len(content) > MAX_TABLE_FILE:
            raise TableRefused(f"a file has at most {MAX_TABLE_FILE >> 20} MiB")
        if content.startswith(_ZIP):
            return read_table(self.register.spreadsheets.read(content))
        return read_table(read_csv(content), guarded=True)

    def _in_use(self, actor: Actor) -> tuple[Sequence[System], Sequence[Asset]]:
        parts = self.register.parts
        parts.access.require(actor, READ_REGISTER, "system:*")
        return parts.transactions.read(lambda tx: self._live(tx, actor))

    def _with_accesses(
        self, actor: Actor
    ) -> tuple[Sequence[System], Sequence[Asset], Sequence[SupplierAccess]]:
        parts, stores = self.register.parts, self.register.stores
        parts.access.require(actor, READ_REGISTER, "system:*")

        def read(
            tx: Transaction,
        ) -> tuple[Sequence[System], Sequence[Asset], Sequence[SupplierAccess]]:
            systems, assets = self._live(tx, actor)
            accesses = [
                access
                for system in systems
                for access in stores.accesses.of_system(tx, actor.org_id, system.id)
            ]
            return systems, assets, accesses

        return parts.transactions.read(read)

    def _live(self, tx: Transaction, actor: Actor) -> tuple[Sequence[System], Sequence[Asset]]:
        systems = live_systems(self.register, tx, actor.org_id)
        return systems, live_assets(self.register, tx, actor.org_id, systems)

    def _note_export(self, actor: Actor, form: str, content: bytes, rows: int) -> None:
        details = {"form": form, "rows": rows, "sha256": hashlib.sha256(content).hexdigest()}
        act = Act("audits.export_systems", actor, "system:*", details=details)
        self.register.parts.trail.append([act])

    def _plan(self, actor: Actor, table: RegisterTable) -> list[_Change]:
        systems, assets = self._in_use(actor)
        planner = _Planner(self.register, actor, systems, assets)
        planned = [planner.system(row) for row in table.rows if row.kind == "systems"]
        planned += [planner.asset(row) for row in table.rows if row.kind == "assets"]
        return planned

    def _apply(self, actor: Actor, report: RegisterImport, plan: Sequence[_Change]) -> None:
        listed = [
            {"kind": one.row.kind, "id": one.after.id, "changes": changes(*one.texts)}
            for one in plan
            if one.after is not None
        ]
        details = {
            "sha256": report.sha256,
            "added": report.count("add"),
            "changed": report.count("change"),
            "changes": self.register.parts.blobs.put(canonical(listed)),
        }

        def work(tx: Transaction) -> None:
            self._check_room(tx, actor, plan)
            for one in plan:
                self._store(tx, actor, one)
            tx.record(Act("audits.import_systems", actor, "system:*", details=details))

        self.register.parts.transactions.run(work)

    def _check_room(self, tx: Transaction, actor: Actor, plan: Sequence[_Change]) -> None:
        stores = self.register.stores
        fresh = [one.row.kind for one in plan if one.action == "add"]
        systems = stores.systems.count(tx, actor.org_id) + fresh.count("systems")
        assets = stores.assets.count(tx, actor.org_id) + fresh.count("assets")
        if systems > MAX_SYSTEMS or assets > MAX_ASSETS:
            raise TooManyKept(f"at most {MAX_SYSTEMS} systems and {MAX_ASSETS} assets are kept")

    def _store(self, tx: Transaction, actor: Actor, one: _Change) -> None:
        """Store one row; a version that changed since the plan was made undoes everything."""
        stores, after = self.register.stores, one.after
        if isinstance(after, System):
            if after.version == 1:
                stores.systems.add(tx, after)
            else:
                stores.systems.change(tx, after)
            kept = Kept("system", after.id, after.version, *one.texts)
        elif isinstance(after, Asset):
            if one.before is None:
                stores.assets.add(tx, after)
            else:
                stores.assets.change(tx, after)
            kept = Kept("asset", after.id, after.version, *one.texts)
        else:
            return
        keep_version(self.register, tx, actor, "import_systems", kept)


class _Planner:
    """Holds each row against what is registered, and against the rows before it."""

    def __init__(
        self,
        register: RegisterParts,
        actor: Actor,
        systems: Sequence[System],
        assets: Sequence[Asset],
    ) -> None:
        self._ids = register.parts.ids
        self._org = actor.org_id
        self._systems: dict[str, System] = {system.id: system for system in systems}
        self._names = {system.name: system.id for system in systems}
        self._assets = {asset.id: asset for asset in assets}
        self._asset_names = {(asset.system_id, asset.name): asset.id for asset in assets}

    def system(self, row: TableRow) -> _Change:
        """Return what becomes of a row of systems."""
        before, faults = self._before(row, self._systems)
        if faults:
            return _Change(row, before, None, faults)
        start = before or System(
            id=self._ids.new("sys"), org_id=self._org, name="", level=1, s_level=1, a_level=1,
            version=0,
        )  # fmt: skip
        values = read_fields(SYSTEM_FIELDS, row.values)[0]
        details = read_fields(DETAIL_FIELDS, row.values)[0]
        after = with_values(start, values, details)
        if self._names.setdefault(after.name, after.id) != after.id:
            return _Change(row, before, None, (Fault("name", _TAKEN),))
        if after != start:
            after = replace(after, version=start.version + 1)
        if before is None:
            self._systems[after.id] = after
        return _Change(row, before, after, ())

    def asset(self, row: TableRow) -> _Change:
        """Return what becomes of a row of assets."""
        before, faults = self._before(row, self._assets)
        named = row.written.get("system", "")
        system_id = named if named in self._systems else self._names.get(named, "")
        if before is not None and not named:
            system_id = before.system_id
        if not faults and not system_id:
            faults = (Fault("system", _NOWHERE),)
        if not faults and before is not None and system_id != before.system_id:
            faults = (Fault("system", _MOVED),)
        if faults:
            return _Change(row, before, None, faults)
        start = before or Asset(
            id=self._ids.new("ast"), org_id=self._org, system_id=system_id, name="", kind="host",
            version=0,
        )  # fmt: skip
        after = replace(start, **read_fields(ASSET_FIELDS, row.values)[0])
        if self._asset_names.setdefault((system_id, after.name), after.id) != after.id:
            return _Change(row, before, None, (Fault("name", _TAKEN),))
        if after != start:
            after = replace(after, version=start.version + 1)
        return _Change(row, before, after, ())

    def _before(self, row: TableRow, known: Mapping[str, Any]) -> tuple[Any, tuple[Fault, ...]]:
        if row.faults or not row.object_id:
            return None, row.faults
        before = known.get(row.object_id)
        if before is None:
            return None, (Fault("id", _UNKNOWN),)
        if before.version != int(row.written["version"]):
            return before, (Fault("version", _CHANGED),)
        return before, ()


def _texts(thing: System | Asset | None) -> dict[str, str]:
    if isinstance(thing, System):
        return system_texts(thing)
    return {} if thing is None else {**asset_texts(thing), "system_id": thing.system_id}


def _report(content: bytes, table: RegisterTable, plan: Sequence[_Change]) -> RegisterImport:
    rows = []
    for one in sorted(plan, key=lambda each: (each.row.kind != "systems", each.row.number)):
        kind, written = one.row.kind, one.row.written
        faults = tuple(RowFault(title_of(kind, each.field), each.what) for each in one.faults)
        fields = tuple(changes(*one.texts)) if one.action == "change" else ()
        name = written.get("name") or written.get("id", "")
        rows.append(RowReport(kind, one.row.number, name, one.action, fields, faults))
    return RegisterImport(hashlib.sha256(content).hexdigest(), tuple(rows), table.ignored)


def _access_rows(
    accesses: Sequence[SupplierAccess], names: Mapping[str, str], now: int, language: Language
) -> list[list[str]]:
    columns = list(ACCESS_FIELDS)
    heading = [ACCESS_FIELDS[name].title.into(language) for name in columns]
    system, state = Text("系统", "System"), Text("状态", "State")
    rows = [
        [
            names[access.system_id],
            *(access_texts(access)[name] for name in columns),
            ACCESS_STATES[access_state(access, now)].into(language),
        ]
        for access in accesses
    ]
    return [[system.into(language), *heading, state.into(language)], *rows]


_TAKEN: Final = Text("名称已被使用", "The name is in use")
_NOWHERE: Final = Text("没有这个系统", "There is no such system")
_MOVED: Final = Text(
    "资产不能改到另一系统:请停用后重新登记",
    "An asset doesn't move to another system: retire it and register it anew",
)
_UNKNOWN: Final = Text("没有这个编号,或已停用", "There is nothing of this id, or it is retired")
_CHANGED: Final = Text(
    "登记内容已被他人修改:请重新导出", "It changed since it was exported: export it again"
)
