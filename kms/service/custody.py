"""The pool: one root key, unlocked or locked, and what may only be done while unlocked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from kms.core.shamir.shares import read_plan
from kms.errors.keys import (
    MaterialTampered,
    PoolLocked,
    PoolUninitialised,
    UnlockFileUnsafe,
    WrongPassphrase,
)
from kms.errors.shares import OpenedOtherwise
from kms.models.keys import POOL_ID, KmsOptions, PoolState, PoolStatus
from kms.models.shares import SharePlan
from kms.ports.keys import Custody, RootStore
from kms.service.tenants import demand_whole
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.errors import Invalid, TooMany
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import POOL_LOCK
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_MAX_PASSPHRASE: Final = 4_096
_MIN_PASSPHRASE: Final = 12
_WAIT_AFTER_FAILURE: Final = 2 * SECOND
POOL_TARGET: Final = f"pool:{POOL_ID}"


class Pool:
    """The root key's state in this process, and the switch that locks all processes."""

    def __init__(
        self,
        parts: Parts,
        custody: Custody,
        roots: RootStore,
        *,
        passphrase: Callable[[], bytes | None],
        options: KmsOptions,
    ) -> None:
        self._parts = parts
        self._custody = custody
        self._roots = roots
        self._passphrase = passphrase
        self._profile = options.profile
        self._handover_key = options.handover_key
        self._unlocking = threading.Lock()
        self._not_before = 0

    def initialise(self, actor: Actor, passphrase: bytes | None = None) -> bool:
        """Make the root key if there is none; False if there is one already."""
        if self._envelope() is not None:
            return False
        chosen = self._passphrase() if passphrase is None else passphrase
        if chosen is None:
            msg = "the pool needs a passphrase"
            raise PoolLocked(msg)
        check_passphrase(chosen)
        envelope = self._custody.create_root(chosen)

        def work(transaction: Transaction) -> bool:
            if not self._roots.insert(transaction, envelope):
                return False
            transaction.record(Act("kms.initialise_pool", actor, POOL_TARGET))
            return True

        if self._parts.transactions.run(work):
            return True
        # another process was first: its root is the one
        self._custody.lock()
        return False

    def status(self) -> PoolStatus:
        """Return whether keys can be used now."""
        return PoolStatus(self._state(), self._custody.name, self._profile)

    def require_unlocked(self) -> Custody:
        """Return the unlocked custody; raise ``PoolLocked`` or ``PoolUninitialised``.

        Unlocks by the configured passphrase when this process first needs it.
        """
        if self._parts.revocations.is_revoked("key", POOL_ID):
            self._custody.lock()
            raise PoolLocked
        if self._custody.is_unlocked:
            return self._custody
        envelope = self.envelope()
        # argon2id takes 64 MiB: callers that come together wait for one, not each for its own
        with self._unlocking:
            if not self._custody.is_unlocked:
                self._unlock_unattended(envelope)
        return self._custody

    def unlock(self, actor: Actor, passphrase: bytes) -> None:
        """Unlock this process and lift the lock of all; raise ``WrongPassphrase``.

        The passphrase is the credential. After a wrong one the next try waits two seconds.
        Raises ``OpenedOtherwise`` where the root key is opened by shares.
        """
        envelope = self.envelope()
        if self._custody.plan_of(envelope) is not None:
            raise OpenedOtherwise
        self.open(actor, envelope, passphrase[: _MAX_PASSPHRASE + 1])

    def open(self, actor: Actor, envelope: bytes, secret: bytes) -> None:
        """Unlock by what opens ``envelope``: a passphrase, or what the shares combined to."""
        if self._parts.clock.now() < self._not_before:
            msg = "wait two seconds after a wrong passphrase"
            raise TooMany(msg, retry_after=2)
        try:
            with self._unlocking:
                self._custody.unlock(envelope, secret)
        except WrongPassphrase:
            self._not_before = self._parts.clock.now() + _WAIT_AFTER_FAILURE
            refusal = Act("kms.unlock_pool", actor, POOL_TARGET, "refused")
            self._parts.trail.append([refusal])
            raise
        act, custody = Act("kms.unlock_pool", actor, POOL_TARGET), self._custody
        handover = None if self._handover_key is None else custody.hand_over(self._handover_key)

        def work(transaction: Transaction) -> None:
            if handover is not None:
                self._roots.put_handover(transaction, handover)
            self._parts.revocations.restore(transaction, "key", POOL_ID)
            transaction.record(act)

        self._parts.transactions.run(work)

    def envelope(self) -> bytes:
        """Return the root key's envelope; raise ``PoolUninitialised`` before ``init``."""
        found = self._envelope()
        if found is None:
            raise PoolUninitialised
        return found

    def plan(self, envelope: bytes) -> SharePlan | None:
        """Return the plan of shares that opens ``envelope``, None for a passphrase."""
        fields = self._custody.plan_of(envelope)
        try:
            return None if fields is None else read_plan(fields)
        except Invalid as error:
            msg = "the root key's envelope is malformed"
            raise MaterialTampered(msg) from error

    def lock(self, actor: Actor) -> None:
        """Lock the pool in every process; never refused for the ledger.

        It stops everybody's keys: an organisation locks its own part (``Tenants.lock_tenant``).
        """
        self._parts.access.require(actor, POOL_LOCK, POOL_TARGET)
        demand_whole(actor)
        act = Act("kms.lock_pool", actor, POOL_TARGET)
        self._custody.lock()

        def work(transaction: Transaction) -> None:
            self._roots.put_handover(transaction, None)
            # shares given before the lock were not given to lift it
            self._roots.put_progress(transaction, None)

        self._parts.transactions.restrict(work, Restriction("key", POOL_ID, act))

    def _state(self) -> PoolState:
        if self._envelope() is None:
            return "uninitialised"
        try:
            self.require_unlocked()
        except (PoolLocked, WrongPassphrase, UnlockFileUnsafe):
            return "locked"
        return "unlocked"

    def _unlock_unattended(self, envelope: bytes) -> None:
        """Unlock by the configured passphrase, or by what a sibling process left."""
        by_passphrase = self._custody.plan_of(envelope) is None
        passphrase = self._passphrase() if by_passphrase else None
        if passphrase is not None:
            self._unlock_configured(envelope, passphrase)
            return
        if self._handover_key is None:
            raise PoolLocked
        handover = self._parts.transactions.read(self._roots.load_handover)
        if handover is None:
            raise PoolLocked
        try:
            self._custody.take_over(handover, self._handover_key)
        except MaterialTampered as error:
            # left by an earlier start of the service, whose key nobody holds any more
            raise PoolLocked from error

    def _unlock_configured(self, envelope: bytes, passphrase: bytes) -> None:
        # health checks come often: a wrong setting must not cost 64 MiB each time
        if self._parts.clock.now() < self._not_before:
            raise PoolLocked
        try:
            self._custody.unlock(envelope, passphrase)
        except WrongPassphrase:
            self._not_before = self._parts.clock.now() + _WAIT_AFTER_FAILURE
            raise

    def _envelope(self) -> bytes | None:
        return self._parts.transactions.read(self._roots.load)


def check_passphrase(passphrase: bytes) -> None:
    """Return if ``passphrase`` is long enough to open a root key; raise ``PoolLocked``."""
    if not _MIN_PASSPHRASE <= len(passphrase) <= _MAX_PASSPHRASE:
        msg = f"the pool's passphrase has {_MIN_PASSPHRASE} to {_MAX_PASSPHRASE} bytes"
        raise PoolLocked(msg)
