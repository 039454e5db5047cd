"""Objects in tokens and machines: made and erased with an intent before and an outcome after.

A call that changes a device can't be part of a transaction. So its trace is durable first: the
intent names key, version and backend. The outcome commits together with the key's row. What
has no outcome after two minutes is closed as ``unknown`` by name and looked for in the device:
an object that no row leads to is erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kms.core.keys.binding import wrapping_context
from kms.errors.backends import BackendFault, BackendFull, BackendUnavailable
from kms.models.backends import LABEL, HeldObject, NewObject, SlotRecord, SlotState
from kms.models.keys import Key, KeyVersion
from kms.ports.backends import SlotStore
from kms.service.backends.groups import Group, KeyBackends
from secops.crypto.hashes import sha256
from secops.kernel.actors import system_actor
from secops.kernel.clock import SECOND
from secops.kernel.errors import Conflict
from secops.kernel.parts import Parts
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

_PATIENCE: Final = 120 * SECOND
"""No call lasts so long: its time limit is below a minute."""
_AT_ONCE: Final = 100
_SPLIT: Final = b"\n"


@dataclass(frozen=True, slots=True)
class Swept:
    """What cleaning up found: intents closed as unknown, objects erased, devices not reached."""

    unknown: int = 0
    erased: int = 0
    left: int = 0


class BackendObjects:
    """Makes objects for key versions, and erases those whose version is gone."""

    def __init__(self, parts: Parts, store: SlotStore, backends: KeyBackends) -> None:
        self._parts = parts
        self._store = store
        self.backends = backends

    def make(self, key: Key, version: int) -> KeyVersion:
        """Return ``version`` of ``key``, made in the key's group. Never inside a unit of work."""
        group = self.backends.group(key.backend)
        group.demand_ready(self.backends.taking())
        record = self._begin(group, key, version)
        wish = NewObject(
            key.kind.algorithm, label_of(record), wrapping_context(key, version), record.slot
        )
        try:
            made = group.make(wish)
        except (BackendFault, BackendUnavailable) as error:
            # it may have been made all the same: the sweep looks
            self._close(record, "failed", error.code)
            raise
        return KeyVersion(
            key_id=key.id,
            version=version,
            created_at=self._parts.clock.now(),
            public_key=made.public_key,
            wrapped=record.id.encode() + _SPLIT + made.reference,
            backend=key.backend,
        )

    def settle(self, transaction: Transaction, version: KeyVersion) -> None:
        """Enter the outcome beside the version's row; raise ``Conflict`` if it was given up."""
        record = self._store.find_slot(transaction, _slot_id(version))
        fingerprint = sha256(version.public_key).hex() if version.public_key else ""
        if record is None or record.state != "intent":
            raise Conflict("the key's object took too long to make and was given up")
        self._store.move_slot(transaction, record, "held", fingerprint=fingerprint)
        transaction.record(_act("kms.make_object", record, "done", public_key_sha256=fingerprint))

    def held(self, key: Key, version: KeyVersion) -> HeldObject:
        """Return what leads to the object of ``version``."""
        _, _, reference = version.wrapped.partition(_SPLIT)
        context = wrapping_context(key, version.version)
        return HeldObject(key.kind.algorithm, reference, version.public_key, context)

    def sweep(self) -> Swept:
        """Close what was left open, erase what nobody leads to; say what was found."""
        before = self._parts.clock.now() - _PATIENCE
        read = self._parts.transactions.read
        late = read(lambda tx: self._store.overdue(tx, before, _AT_ONCE))
        unknown = sum(self._close(each, "unknown") for each in late if each.state == "intent")
        abandoned = read(lambda tx: self._store.abandoned(tx, _AT_ONCE))
        for each in abandoned:
            self._move(each, "destroying", _act("kms.destroy_object", each, "intent"))
        waiting = read(lambda tx: self._store.overdue(tx, before, _AT_ONCE))
        erased = left = 0
        for each in waiting:
            if each.state in ("unknown", "destroying"):
                done = self._erase(each)
                erased, left = erased + done, left + (not done)
        return Swept(unknown, erased, left)

    def _begin(self, group: Group, key: Key, version: int) -> SlotRecord:
        for slot in self._free_slots(group):
            record = SlotRecord(
                id=self._parts.ids.new("obj"),
                org_id=key.org_id,
                backend=group.name,
                key_id=key.id,
                version=version,
                state="intent",
                started_at=self._parts.clock.now(),
                slot=slot,
            )

            def work(transaction: Transaction, record: SlotRecord = record) -> bool:
                if not self._store.insert_slot(transaction, record):
                    return False
                transaction.record(_act("kms.make_object", record, "intent"))
                return True

            if self._parts.transactions.run(work):
                return record
        raise BackendFull(f"no index of {group.name} is free")

    def _free_slots(self, group: Group) -> Iterable[int | None]:
        """Return the indices no key has, or None alone where objects are made when needed."""
        options = group.members[0].options
        if options.kind != "sdf":
            return (None,)
        records = self._parts.transactions.read(lambda tx: self._store.slots(tx, group.name))
        for record in records:
            if record.state == "retired":
                self._renew(group, record)
        taken = {record.slot for record in records if record.state != "retired"}
        return [slot for slot in options.indices if slot not in taken]

    def _renew(self, group: Group, record: SlotRecord) -> None:
        """Free a retired index once the machine's operator has made a new pair there."""
        slot = record.slot
        if slot is None:
            return
        found = group.call(lambda backend: backend.slot_key(slot), lambda _key: None)
        if sha256(found).hex() != record.fingerprint:
            self._parts.transactions.run(lambda tx: self._store.drop_slot(tx, record))

    def _close(self, record: SlotRecord, outcome: Outcome, code: str = "") -> bool:
        """Enter the outcome of a call that has none, by name; what it left is erased later."""
        act = _act("kms.make_object", record, outcome, code=code)
        return self._move(record, "unknown", act)

    def _erase(self, record: SlotRecord) -> bool:
        """Erase an object in every member; False where one can't be reached now."""
        found = False
        try:
            for member in self.backends.group(record.backend).members:
                if not member.is_ready():
                    return False
                if record.slot is None:
                    erased = member.work(
                        lambda backend: backend.erase(label_of(record)), lambda _erased: None
                    )
                    found = found or erased
        except BackendUnavailable:
            return False
        act = _act("kms.destroy_object", record, "done", found=found)
        if record.slot is not None and record.state == "destroying":
            # the standard has no call that erases a pair: its index is not given again
            act = _act("kms.destroy_object", record, "done", retired=True)
            return self._move(record, "retired", act)

        def work(transaction: Transaction) -> bool:
            if not self._store.drop_slot(transaction, record):
                return False
            transaction.record(act)
            return True

        return self._parts.transactions.run(work)

    def _move(self, record: SlotRecord, state: SlotState, act: Act) -> bool:
        def work(transaction: Transaction) -> bool:
            if not self._store.move_slot(transaction, record, state):
                return False
            transaction.record(act)
            return True

        return self._parts.transactions.run(work)


def label_of(record: SlotRecord) -> str:
    """Return the label of the object in a token; it names no organisation and no person."""
    return LABEL + record.id


def _slot_id(version: KeyVersion) -> str:
    return version.wrapped.partition(_SPLIT)[0].decode("ascii", "replace")


def _act(action: str, record: SlotRecord, outcome: Outcome, **more: str | bool) -> Act:
    details = {
        "backend": record.backend,
        "version": record.version,
        "object": record.id,
        **({} if record.slot is None else {"index": record.slot}),
        **more,
    }
    return Act(action, system_actor("kms"), f"key:{record.key_id}", outcome, details)
