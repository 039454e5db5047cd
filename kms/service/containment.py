"""Keys and seals held back by a playbook's run: no route and no command leads here.

The authority stands in the plan that the run carries out; the acts name the run, who asked
and who approved. A hold is set and lifted once per order. What takes away is never refused for
the ledger's sake; what gives back frees a key or seal only when nothing else holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from kms.core.keys import lifecycle
from kms.errors.keys import KeyNotFound, MountNotFound
from kms.errors.seals import SealNotFound
from kms.models.holds import Hold, HoldKind
from kms.models.keys import DEFAULT_MOUNT, SYSTEM_MOUNT, Key
from kms.ports.holds import HoldStore
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing
from kms.service.seals.parts import SealParts
from secops.kernel.actors import system_actor
from secops.kernel.containment import Contained, ContainmentOrder
from secops.kernel.errors import Conflict
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_ACTOR: Final = system_actor("playbooks")
_KEY_ID: Final = "key_"


@dataclass(frozen=True, slots=True)
class _Standing:
    """A key or seal inside a unit of work: its state, and what changes it."""

    id: str
    name: str
    state: str
    suspend: Callable[[Transaction, str], None]
    resume: Callable[[Transaction, str], None]
    protected: str = ""


class Custodian(Protocol):
    """Finds keys, or seals, and changes their state."""

    @property
    def kind(self) -> HoldKind:
        """What it finds."""
        ...

    def find(self, transaction: Transaction, org_id: str, name: str) -> _Standing | None:
        """Return what ``name`` (or id) means in ``org_id``."""
        ...


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held back of one kind. Safe in any number of threads."""

    parts: Parts
    holds: HoldStore
    custodian: Custodian

    def look(self, org_id: str, name: str) -> Contained | None:
        """Return the key or seal with this name or id in ``org_id``; None for another's."""

        def work(transaction: Transaction) -> Contained | None:
            found = self.custodian.find(transaction, org_id, name)
            if found is None:
                return None
            holds = self.holds.holding(transaction, self.kind, found.id)
            revoked = self.parts.revocations.is_revoked(self.kind, found.id)
            held = found.state != "active" or revoked
            return Contained(
                id=found.id,
                name=found.name,
                state="suspended" if revoked and found.state == "active" else found.state,
                held=held,
                holders=tuple(hold.key for hold in holds),
                beyond=held and (not holds or any(hold.beyond for hold in holds)),
                protected=found.protected,
            )

        return self.parts.transactions.read(work)

    def restrain(self, subject: str, order: ContainmentOrder) -> None:
        """Take it out of use everywhere within a second; the same order has one effect."""

        def read(transaction: Transaction) -> _Standing | None:
            if self.holds.get(transaction, order.key) is not None:
                return None
            return self._require(transaction, order.org_id, subject)

        found = self.parts.transactions.read(read)
        if found is None:
            return
        if found.protected:
            raise Conflict(f"{found.name}: {found.protected}")
        act = Act(
            f"kms.suspend_{self.kind}",
            _ACTOR,
            f"{self.kind}:{found.id}",
            details={"reason": order.reason, **order.told},
        )

        def work(transaction: Transaction) -> None:
            standing = self._require(transaction, order.org_id, subject)
            before = self.holds.holding(transaction, self.kind, standing.id)
            # what a person suspended stays so when the hold is lifted
            unexplained = not before or any(hold.beyond for hold in before)
            beyond = standing.state != "active" and unexplained
            hold = Hold(
                key=order.key,
                org_id=order.org_id,
                kind=self.kind,
                subject=standing.id,
                beyond=beyond,
                created_at=transaction.now,
            )
            self.holds.add(transaction, hold)
            if standing.state == "active":
                standing.suspend(transaction, order.reason)

        self.parts.transactions.restrict(work, Restriction(self.kind, found.id, act))

    def give_back(self, subject: str, order: ContainmentOrder) -> None:
        """Lift the hold of the order that this one undoes, or all that hold it.

        It may be used again when nothing holds it any more. Without ``undoes`` a suspension
        that a person ordered is lifted, too: that is what was approved.
        """

        def work(transaction: Transaction) -> None:
            standing = self._require(transaction, order.org_id, subject)
            before = self.holds.holding(transaction, self.kind, standing.id)
            self.holds.lift(transaction, self.kind, standing.id, order.undoes)
            left = self.holds.holding(transaction, self.kind, standing.id)
            mine = not order.undoes or any(hold.key == order.undoes for hold in before)
            revoked = self.parts.revocations.is_revoked(self.kind, standing.id)
            # the emergency way could write no hold; an order that left one took nothing so
            written = self.holds.get(transaction, order.undoes) is not None
            orphaned = not (before or written) and standing.state == "active" and revoked
            beyond = bool(order.undoes) and any(hold.beyond for hold in before)
            if left or beyond or not (mine or orphaned):
                return
            if standing.state == "suspended":
                standing.resume(transaction, order.reason)
            elif not (standing.state == "active" and revoked):
                return  # revoked or destroyed for good meanwhile, or free already
            self.parts.revocations.restore(transaction, self.kind, standing.id)
            target = f"{self.kind}:{standing.id}"
            details = {"reason": order.reason, **order.told}
            transaction.record(Act(f"kms.resume_{self.kind}", _ACTOR, target, details=details))

        self.parts.transactions.run(work)

    def is_in_force(self, subject: str, key: str) -> bool:
        """Tell whether the hold that the order ``key`` set is still there."""
        del subject  # a key names one hold of one subject
        found = self.parts.transactions.read(lambda tx: self.holds.get(tx, key))
        return found is not None and found.lifted_at is None

    @property
    def kind(self) -> HoldKind:
        """What is held back here."""
        return self.custodian.kind

    def _require(self, transaction: Transaction, org_id: str, name: str) -> _Standing:
        found = self.custodian.find(transaction, org_id, name)
        if found is not None:
            return found
        raise KeyNotFound if self.kind == "key" else SealNotFound


@dataclass(frozen=True, slots=True)
class KeyCustodian:
    """Keys of the pool, by id, name, or ``mount/name``."""

    ring: KeyRing
    maker: KeyMaker
    kind: HoldKind = "key"

    def find(self, transaction: Transaction, org_id: str, name: str) -> _Standing | None:
        """Return the key; the product's own are found by their ids, and protected."""
        try:
            key = self._key(transaction, org_id, name)
        except (KeyNotFound, MountNotFound):
            return None
        if key is None or key.org_id != org_id:
            return None
        own = "one of the product's own keys" if key.mount == SYSTEM_MOUNT else ""

        def suspend(transaction: Transaction, reason: str) -> None:
            del reason  # stands in the act
            self.maker.update(transaction, key, replace(key, state="suspended"))

        def resume(transaction: Transaction, reason: str) -> None:
            del reason
            lifecycle.demand_kept(key)
            self.maker.update(transaction, key, replace(key, state="active"))

        return _Standing(key.id, key.name, key.state, suspend, resume, own)

    def _key(self, transaction: Transaction, org_id: str, name: str) -> Key | None:
        if name.startswith(_KEY_ID):
            found = self.ring.read_by_id(transaction, name)
            if found is not None:
                return found.key
        mount, slash, last = name.rpartition("/")
        place = (org_id, mount if slash else DEFAULT_MOUNT, last)
        return self.ring.read(transaction, place).key


@dataclass(frozen=True, slots=True)
class SealCustodian:
    """Seals of the registry, by id."""

    seals: SealParts
    kind: HoldKind = "seal"

    def find(self, transaction: Transaction, org_id: str, name: str) -> _Standing | None:
        """Return the seal."""
        found = self.seals.store.seal(transaction, org_id, name)
        if found is None:
            return None
        record, _ = found
        change = self.seals.store.change_state

        def suspend(transaction: Transaction, reason: str) -> None:
            change(transaction, record.id, before=("active",), after="suspended", reason=reason)

        def resume(transaction: Transaction, reason: str) -> None:
            change(transaction, record.id, before=("suspended",), after="active", reason=reason)

        return _Standing(record.id, record.name, record.state, suspend, resume)


@dataclass(frozen=True, slots=True)
class KmsContainment:
    """What playbooks hold back here."""

    keys: Holding
    seals: Holding


def build_containment(
    seals: SealParts, ring: KeyRing, maker: KeyMaker, holds: HoldStore
) -> KmsContainment:
    """Return it over the plane's keys and seals."""
    return KmsContainment(
        Holding(seals.parts, holds, KeyCustodian(ring, maker)),
        Holding(seals.parts, holds, SealCustodian(seals)),
    )
