"""Scheduled rotation: keys whose period is over get a version more, by the scheduler's lease."""

from __future__ import annotations

from typing import Final

from kms.core.keys import lifecycle
from kms.errors.backends import BackendDraining, BackendUnavailable
from kms.models.keys import Key
from kms.ports.keys import KeyIndex
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
        self._index = index

    def rotate_due_keys(self) -> bool:
        """Rotate the keys whose period is over; True when more wait. For the job."""
        due = self._parts.transactions.read(lambda tx: self._index.due(tx, "rotation", _AT_ONCE))
        rotated = [self._rotate(key) for key in due]
        return len(due) == _AT_ONCE and any(rotated)

    def _rotate(self, found: Key) -> bool:
        # read again and checked against its tag: the row that was found is only a hint
        loaded = self._parts.transactions.read(lambda tx: self._ring.read_by_id(tx, found.id))
        if loaded is None or not lifecycle.rotation_is_due(loaded.key, self._parts.clock.now()):
            return False
        before = loaded.key
        try:
            after = self._maker.placed(lifecycle.rotated(before, self._parts.clock.now()))
            version = self._maker.new_version(after, after.latest_version)
        except (BackendUnavailable, BackendDraining):
            # its device is away or drained: it stays due, and others must not wait for it
            return False

        def work(transaction: Transaction) -> None:
            self._maker.update(transaction, before, after)
            if not self._maker.insert_version(transaction, after, version):
                raise Conflict
            details = {**describe_version_made(version), "scheduled": True}
            actor, target = system_actor("kms"), f"key:{after.id}"
            transaction.record(Act("kms.rotate_key", actor, target, details=details))

        try:
            self._parts.transactions.run(work)
        except Conflict:  # somebody rotated or changed it just now: looked at again next time
            return False
        return True
