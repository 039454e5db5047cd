"""Scheduled rotation: keys whose period is over get a version more, by the scheduler's lease."""

from __future__ import annotations

from typing import Final

from kms.core.keys import lifecycle
from kms.errors.backends import BackendDraining, BackendUnavailable
from kms.errors.limits import QuotaExceeded
from kms.models.keys import Key
from kms.ports.keys import KeyIndex
from kms.service.due_keys import DueKeys
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing
from kms.service.keys import describe_version_made
from secops.kernel.actors import system_actor
from secops.kernel.errors import Conflict
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_AT_ONCE: Final = 200


class KeyRotation:
    """Rotates what is due."""

    def __init__(self, parts: Parts, ring: KeyRing, maker: KeyMaker, *, index: KeyIndex) -> None:
        self._parts = parts
        self._ring = ring
        self._maker = maker
        self._due = DueKeys(parts, index, "rotation", at_once=_AT_ONCE)

    def rotate_due_keys(self) -> bool:
        """Rotate the keys whose period is over; True when more wait. For the job.

        Raises ``MaterialTampered`` for a changed row, once the others were rotated.
        """
        return self._due.work_off(self._rotate)

    def _rotate(self, found: Key) -> None:
        # read again and checked against its tag: the row that was found is only a hint
        read = self._parts.transactions.read
        loaded = read(lambda tx: self._ring.read_by_id(tx, found.id))
        if loaded is None or not lifecycle.rotation_is_due(loaded.key, self._parts.clock.now()):
            return
        before = loaded.key
        try:
            read(lambda tx: self._maker.limiter.demand_room(tx, before.org_id, more=1))
            after = self._maker.placed(lifecycle.rotated(before, self._parts.clock.now()))
            version = self._maker.new_version(after, after.latest_version)
        except (BackendUnavailable, BackendDraining, QuotaExceeded):
            # no device takes it, or its organisation has all it may: it stays due, alone
            return

        def work(transaction: Transaction) -> None:
            self._maker.add_version(transaction, before, after, version)
            details = {**describe_version_made(version), "scheduled": True}
            actor, target = system_actor("kms"), f"key:{after.id}"
            transaction.record(Act("kms.rotate_key", actor, target, details=details))

        try:
            self._parts.transactions.run(work)
        except (Conflict, QuotaExceeded):
            # somebody rotated or changed it just now, or took the last room: looked at next time
            return
