"""Suppliers' accesses: who, to which system, for what, until when; what is over stays in sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from audits.core.register.dates import access_state
from audits.core.register.suppliers import ACCESS_FIELDS, access_of, access_texts
from audits.errors import Retired, TooManyKept
from audits.models.systems import ACCESS_STATES, AccessState, SupplierAccess
from audits.service.refusals import refusals_recorded
from audits.service.systems.keeping import (
    MAX_ACCESSES,
    Kept,
    RegisterParts,
    active_accounts,
    needed,
    note,
    read_written,
    unchanged,
)
from audits.service.systems.scopes import stored_system
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.audits import READ_REGISTER, WRITE_REGISTER
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class SupplierAccessView:
    """An access, how it stands, and whether its account may act (None: no such account)."""

    access: SupplierAccess
    state: AccessState
    account_active: bool | None

    @property
    def state_text(self) -> Text:
        """How it stands, in words."""
        return ACCESS_STATES[self.state]

    @property
    def is_late(self) -> bool:
        """Whether the account may still act though the access is over."""
        return self.state in ("expired", "ended") and self.account_active is True


@dataclass(frozen=True, slots=True)
class SupplierService:
    """Keeps what suppliers may reach."""

    register: RegisterParts

    def add_supplier_access(
        self, actor: Actor, system_id: str, written: Mapping[str, str]
    ) -> SupplierAccess:
        """Register what somebody from outside may reach; raise ``FieldRefused``."""
        parts, stores = self.register.parts, self.register.stores
        parts.access.require(actor, WRITE_REGISTER, f"system:{system_id}")
        needed(written, ("supplier", "person", "purpose", "starts_at", "ends_at"), ACCESS_FIELDS)
        values = read_written((ACCESS_FIELDS,), written)[0]
        access = access_of(values, parts.ids.new("sup"), actor.org_id, system_id)

        def work(tx: Transaction) -> SupplierAccess:
            if stored_system(stores.systems, tx, actor.org_id, system_id).retired_at:
                raise Retired
            if stores.accesses.count(tx, actor.org_id) >= MAX_ACCESSES:
                raise TooManyKept(f"an organisation has at most {MAX_ACCESSES} of them")
            stores.accesses.add(tx, access)
            self._note(tx, actor, "add_supplier_access", None, access)
            return access

        with refusals_recorded(parts, "audits.add_supplier_access", actor, f"system:{system_id}"):
            return parts.transactions.run(work)

    def end_supplier_access(self, actor: Actor, access_id: str, version: int) -> SupplierAccess:
        """End an access before its time, or say that one out of time was taken away."""
        parts, stores = self.register.parts, self.register.stores
        parts.access.require(actor, WRITE_REGISTER, f"supplier_access:{access_id}")

        def work(tx: Transaction) -> SupplierAccess:
            before = stores.accesses.get(tx, actor.org_id, access_id)
            unchanged(version, before.version, before.ended_at)
            ended = replace(before, version=version + 1, ended_at=tx.now)
            stores.accesses.change(tx, ended)
            self._note(tx, actor, "end_supplier_access", before, ended)
            return ended

        target = f"supplier_access:{access_id}"
        with refusals_recorded(parts, "audits.end_supplier_access", actor, target):
            return parts.transactions.run(work)

    def list_supplier_accesses(self, actor: Actor, page: PageRequest) -> Page[SupplierAccessView]:
        """Return all accesses, those that end last first, each with how it stands."""
        parts = self.register.parts
        parts.access.require(actor, READ_REGISTER, "system:*")
        found = parts.transactions.read(
            lambda tx: self.register.stores.accesses.page(tx, actor.org_id, page)
        )
        return Page(self._views(actor, found.items), found.next)

    def supplier_accesses_of(self, actor: Actor, system_id: str) -> Sequence[SupplierAccessView]:
        """Return the accesses to one system, those that end last first."""
        parts = self.register.parts
        parts.access.require(actor, READ_REGISTER, f"system:{system_id}")
        found = parts.transactions.read(
            lambda tx: self.register.stores.accesses.of_system(tx, actor.org_id, system_id)
        )
        return self._views(actor, found)

    def _views(self, actor: Actor, accesses: Sequence[SupplierAccess]) -> list[SupplierAccessView]:
        active = active_accounts(self.register, actor, accesses)
        now = self.register.parts.clock.now()
        return [
            SupplierAccessView(access, access_state(access, now), active.get(access.account))
            for access in accesses
        ]

    def _note(
        self,
        tx: Transaction,
        actor: Actor,
        verb: str,
        before: SupplierAccess | None,
        after: SupplierAccess,
    ) -> None:
        was = access_texts(before) if before else {}
        kept = Kept("supplier_access", after.id, after.version, was, access_texts(after))
        note(self.register, tx, actor, verb, kept)
