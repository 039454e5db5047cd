"""Systems: registered, changed, retired, shown with what is due."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from audits.core.gbt22240.grading import grade
from audits.core.register.dates import Due, filing_due, retest_due
from audits.core.register.fields import DETAIL_FIELDS, SYSTEM_FIELDS, system_texts
from audits.core.register.filing import filing_sheet, sheet_rows
from audits.core.texts import bounded
from audits.errors import FieldRefused, TooManyKept
from audits.models.calculations import Degree, Grading, Harmed
from audits.models.filing import TITLE, FilingSheet
from audits.models.forms import Form
from audits.models.systems import THIS_INSTANCE, Asset, RegisterVersion, System
from audits.service.refusals import refusals_recorded
from audits.service.systems.keeping import (
    MAX_REASON,
    MAX_SYSTEMS,
    Kept,
    RegisterParts,
    needed,
    note,
    read_written,
    unchanged,
)
from audits.service.systems.scopes import stored_system
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.audits import READ_REGISTER, WRITE_REGISTER
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

FIELDS = (SYSTEM_FIELDS, DETAIL_FIELDS)


@dataclass(frozen=True, slots=True)
class SystemView:
    """A system with what is due, how many assets it has, and its versions, newest first."""

    system: System
    filing: Due
    test: Due
    assets: int
    versions: tuple[RegisterVersion, ...]


@dataclass(frozen=True, slots=True)
class SystemService:
    """Keeps the systems of an organisation."""

    register: RegisterParts

    def add_system(self, actor: Actor, written: Mapping[str, str]) -> System:
        """Register a system of the fields ``written`` as texts; raise ``FieldRefused``."""
        parts = self.register.parts
        parts.access.require(actor, WRITE_REGISTER, "system:*")
        needed(written, ("name", "s_level", "a_level"), SYSTEM_FIELDS)
        blank = System(
            id=parts.ids.new("sys"), org_id=actor.org_id, name="", level=1, s_level=1, a_level=1
        )
        system = system_of(blank, written)

        def work(tx: Transaction) -> System:
            return store_new_system(self.register, tx, actor, system)

        with refusals_recorded(parts, "audits.add_system", actor, "system:*"):
            return parts.transactions.run(work)

    def change_system(
        self, actor: Actor, system_id: str, version: int, written: Mapping[str, str]
    ) -> System:
        """Change the fields ``written`` of the ``version`` that was read.

        This platform is registered by its first change, of version 0.
        """
        parts = self.register.parts
        parts.access.require(actor, WRITE_REGISTER, f"system:{system_id}")

        def work(tx: Transaction) -> System:
            before = stored_system(self.register.stores.systems, tx, actor.org_id, system_id)
            unchanged(version, before.version, before.retired_at)
            changed = system_of(before, written)
            return store_changed_system(self.register, tx, actor, before, changed)

        with refusals_recorded(parts, "audits.change_system", actor, f"system:{system_id}"):
            return parts.transactions.run(work)

    def retire_system(self, actor: Actor, system_id: str, version: int, reason: str) -> System:
        """Take a system out of use; it and its assets stay to be read, and are never deleted."""
        parts = self.register.parts
        parts.access.require(actor, WRITE_REGISTER, f"system:{system_id}")
        why = bounded(reason, MAX_REASON, "reason")
        if system_id == THIS_INSTANCE:
            raise FieldRefused(
                "this platform can't be retired",
                field="id",
                because_zh="本平台不能停用",
                because_en="this platform can't be retired",
            )

        def work(tx: Transaction) -> System:
            before = self.register.stores.systems.get(tx, actor.org_id, system_id)
            unchanged(version, before.version, before.retired_at)
            retired = replace(before, version=version + 1, retired_at=tx.now, retired_reason=why)
            self.register.stores.systems.change(tx, retired)
            note_system(self.register, tx, actor, "retire_system", (before, retired))
            return retired

        with refusals_recorded(parts, "audits.retire_system", actor, f"system:{system_id}"):
            return parts.transactions.run(work)

    def list_systems(self, actor: Actor, page: PageRequest) -> Page[System]:
        """Return the systems in use, the last registered first."""
        self.register.parts.access.require(actor, READ_REGISTER, "system:*")
        return self.register.parts.transactions.read(
            lambda tx: self.register.stores.systems.page(tx, actor.org_id, page)
        )

    def live_systems(self, actor: Actor) -> Sequence[System]:
        """Return this platform and all systems in use, by name: what a form offers."""
        self.register.parts.access.require(actor, READ_REGISTER, "system:*")
        return self.register.parts.transactions.read(
            lambda tx: live_systems(self.register, tx, actor.org_id)
        )

    def show_system(self, actor: Actor, system_id: str) -> SystemView:
        """Return a system, retired ones too, with what is due; raise ``SystemNotFound``."""
        parts, stores = self.register.parts, self.register.stores
        parts.access.require(actor, READ_REGISTER, f"system:{system_id}")

        def read(tx: Transaction) -> SystemView:
            org = actor.org_id
            system = stored_system(stores.systems, tx, org, system_id)
            return SystemView(
                system=system,
                filing=filing_due(system, tx.now),
                test=retest_due(system, tx.now),
                assets=len(stores.assets.live(tx, org, system_id)),
                versions=tuple(stores.history.of(tx, org, "system", system_id)),
            )

        return parts.transactions.read(read)

    def show_filing_sheet(self, actor: Actor, system_id: str, language: Language) -> FilingSheet:
        """Return the filing data sheet of a system, and what of it is missing."""
        parts, stores = self.register.parts, self.register.stores
        parts.access.require(actor, READ_REGISTER, f"system:{system_id}")

        def read(tx: Transaction) -> FilingSheet:
            system = stored_system(stores.systems, tx, actor.org_id, system_id)
            assets = stores.assets.live(tx, actor.org_id, system_id)
            return filing_sheet(system, assets, tx.now, language)

        return parts.transactions.read(read)

    def export_filing_sheet(
        self, actor: Actor, system_id: str, form: Form, language: Language
    ) -> bytes:
        """Return the filing data sheet in one of ``FILING_FORMS``; the ledger notes who took it."""
        sheet = self.show_filing_sheet(actor, system_id, language)
        content = self._filing_file(sheet, form)
        details = {
            "form": form,
            "language": language,
            "sha256": hashlib.sha256(content).hexdigest(),
            "version": sheet.version,
        }
        act = Act("audits.export_filing_sheet", actor, f"system:{system_id}", details=details)
        self.register.parts.trail.append([act])
        return content

    def _filing_file(self, sheet: FilingSheet, form: Form) -> bytes:
        if form == "docx":
            return self.register.filing_papers.write(sheet)
        return self.register.spreadsheets.write({TITLE.into(sheet.language): sheet_rows(sheet)})

    def grade_system(
        self, actor: Actor, information: Mapping[Harmed, Degree], service: Mapping[Harmed, Degree]
    ) -> Grading:
        """Return the level that harm to information and service leads to, with its doubts.

        An aid for who grades a system: nothing is stored. Raises ``CalculationRefused``.
        """
        self.register.parts.access.require(actor, READ_REGISTER, "system:*")
        return grade(information, service)


def system_of(before: System, written: Mapping[str, str]) -> System:
    """Return ``before`` with what is ``written``; raise ``FieldRefused``."""
    values, details = read_written(FIELDS, written)
    return with_values(before, values, details)


def with_values(before: System, values: Mapping[str, Any], details: Mapping[str, str]) -> System:
    """Return ``before`` with these values; its level follows from its S and A levels."""
    changed = replace(
        before,
        **values,
        details={k: v for k, v in {**before.details, **details}.items() if v},
    )
    if changed.id == THIS_INSTANCE:
        changed = replace(changed, uses=before.uses)  # all of its own services, always
    return replace(changed, level=max(changed.s_level, changed.a_level))


def store_new_system(
    register: RegisterParts, tx: Transaction, actor: Actor, system: System
) -> System:
    """Store a new system with its act; raise ``TooManyKept`` or ``NameInUse``."""
    if register.stores.systems.count(tx, actor.org_id) >= MAX_SYSTEMS:
        raise TooManyKept(f"an organisation has at most {MAX_SYSTEMS} systems")
    register.stores.systems.add(tx, system)
    note_system(register, tx, actor, "add_system", (None, system))
    return system


def store_changed_system(
    register: RegisterParts, tx: Transaction, actor: Actor, before: System, changed: System
) -> System:
    """Store a change with its act; nothing where nothing changed."""
    if changed == before:
        return before
    stored = replace(changed, version=before.version + 1)
    if before.version == 0:
        register.stores.systems.add(tx, stored)
    else:
        register.stores.systems.change(tx, stored)
    note_system(register, tx, actor, "change_system", (before, stored))
    return stored


def note_system(
    register: RegisterParts,
    tx: Transaction,
    actor: Actor,
    verb: str,
    change: tuple[System | None, System],
) -> None:
    """Keep a system's version and record what changed."""
    before, after = change
    was = _texts(before) if before else {}
    note(register, tx, actor, verb, Kept("system", after.id, after.version, was, _texts(after)))


def _texts(system: System) -> dict[str, str]:
    return {**system_texts(system), "retired_reason": system.retired_reason}


def live_systems(register: RegisterParts, tx: Transaction, org_id: str) -> Sequence[System]:
    """Return this platform and all systems in use, by name."""
    systems = register.stores.systems
    live = list(systems.live(tx, org_id))
    if all(system.id != THIS_INSTANCE for system in live):
        live.insert(0, stored_system(systems, tx, org_id, THIS_INSTANCE))
    return live


def live_assets(
    register: RegisterParts, tx: Transaction, org_id: str, systems: Sequence[System]
) -> list[Asset]:
    """Return the assets in use of these systems, which ``live_systems`` gave."""
    ids = {system.id for system in systems}
    return [asset for asset in register.stores.assets.live(tx, org_id) if asset.system_id in ids]
