"""Unlocking the pool: by its passphrase, or by k of n shares that come one after another.

What was given so far waits in the database, for the next share may reach another process of
the service; it is encrypted under a key that only those processes hold in memory, and forgotten
after ten minutes. A false share is refused by its mark and costs the others nothing.
"""

from __future__ import annotations

import base64
from typing import Final

import orjson

from kms.core.shamir.scheme import interpolate
from kms.core.shamir.shares import demand_share, read_share
from kms.errors.keys import PoolUninitialised
from kms.errors.shares import ShareMalformed, ShareOfAnotherSet, ShareRefused
from kms.models.keys import KmsOptions
from kms.models.shares import Share, SharePlan, UnlockProgress
from kms.ports.keys import RootStore
from kms.service.custody import POOL_TARGET, Pool
from kms.service.public_limits import RateLimit
from secops.crypto import ciphers, hashes
from secops.crypto.errors import DecryptionFailed
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PATIENCE: Final = 600 * SECOND
_PER_MINUTE: Final = 30
_NONCE: Final = 8
_SUITES: Final = {"intl": ("aes256-gcm", "sha256"), "gm": ("sm4-gcm", "sm3")}
_Given = tuple[str, dict[int, bytes], int]
"""The attempt's nonce, the shares given by index, when the first came."""


class Unlocking:
    """Opens the pool for whoever brings what opens it. No sign-in: that is the credential."""

    def __init__(self, parts: Parts, pool: Pool, roots: RootStore, options: KmsOptions) -> None:
        self._parts = parts
        self._pool = pool
        self._roots = roots
        self._limit = RateLimit(parts.clock, _PER_MINUTE, "attempts")
        self._cipher, hash_name = _SUITES[options.profile]
        # alone, this process is the whole service; what it kept nobody else can read
        shared = options.handover_key or parts.randomness.bytes(32)
        length = ciphers.KEY_LENGTHS[self._cipher]
        self._key = hashes.derive(hash_name, shared, length=length, info=b"kms given shares v1")

    def show_progress(self) -> UnlockProgress:
        """Return how the root key is opened and how many shares were given."""
        try:
            plan = self._pool.plan(self._pool.envelope())
        except PoolUninitialised:
            plan = None
        if plan is None:
            return UnlockProgress("passphrase")
        given = self._parts.transactions.read(lambda tx: self._load(tx, plan))
        return _progress(plan, given)

    def unlock_pool(self, actor: Actor, text: str) -> UnlockProgress:
        """Take the passphrase or one share, and open the pool when there are enough.

        Raises ``WrongPassphrase``, ``ShareMalformed``, ``ShareRefused``, ``ShareOfAnotherSet``
        and ``TooMany``; each wrong share leaves a leaf.
        """
        self._limit.spend(actor.id)
        envelope = self._pool.envelope()
        plan = self._pool.plan(envelope)
        if plan is None:
            self._pool.unlock(actor, text.encode())
            return UnlockProgress("passphrase")
        share = self._checked(actor, plan, text)
        if self._pool.status().state == "unlocked":
            return _progress(plan, None)
        given = self._parts.transactions.run(lambda tx: self._give(tx, actor, plan, share))
        if len(given[1]) < plan.threshold:
            return _progress(plan, given)
        self._pool.open(actor, envelope, interpolate(given[1]))
        return _progress(plan, None)

    def forget_shares(self, actor: Actor) -> UnlockProgress:
        """Drop what was given so far, and begin anew."""
        self._limit.spend(actor.id)

        def work(transaction: Transaction) -> None:
            if self._roots.load_progress(transaction) is not None:
                self._roots.put_progress(transaction, None)
                transaction.record(Act("kms.forget_shares", actor, POOL_TARGET))

        self._parts.transactions.run(work)
        return self.show_progress()

    def _checked(self, actor: Actor, plan: SharePlan, text: str) -> Share:
        try:
            share = read_share(text)
            demand_share(plan, share)
        except (ShareMalformed, ShareOfAnotherSet, ShareRefused) as error:
            details = {"code": error.code, "set": plan.set_id.hex()}
            refusal = Act("kms.give_share", actor, POOL_TARGET, "refused", details)
            self._parts.trail.append([refusal])
            raise
        return share

    def _give(self, tx: Transaction, actor: Actor, plan: SharePlan, share: Share) -> _Given:
        nonce, points, since = self._load(tx, plan) or self._begin(tx)
        if share.index in points:
            return nonce, points, since
        given = (nonce, {**points, share.index: share.value}, since)
        done = len(given[1]) >= plan.threshold
        self._roots.put_progress(tx, None if done else self._seal(plan, given), since)
        details = {"set": plan.set_id.hex(), "share": share.index, "given": len(given[1])}
        tx.record(Act("kms.give_share", actor, POOL_TARGET, details=details))
        return given

    def _begin(self, transaction: Transaction) -> _Given:
        return self._parts.randomness.bytes(_NONCE).hex(), {}, transaction.now

    def _load(self, transaction: Transaction, plan: SharePlan) -> _Given | None:
        """Return what was given; None where it is too old, of another set or another start."""
        row = self._roots.load_progress(transaction)
        if row is None or not 0 <= transaction.now - row[1] < _PATIENCE:
            return None
        sealed, since = row
        try:
            content = ciphers.unseal(self._cipher, self._key, sealed, aad=_bound(plan, since))
        except DecryptionFailed:
            return None
        fields = orjson.loads(content)
        points = {int(x): base64.b64decode(value) for x, value in fields["points"].items()}
        return fields["nonce"], points, since

    def _seal(self, plan: SharePlan, given: _Given) -> bytes:
        nonce, points, since = given
        told = {str(x): base64.b64encode(value).decode() for x, value in points.items()}
        content = orjson.dumps({"nonce": nonce, "points": told})
        fresh = self._parts.randomness.bytes(ciphers.NONCE)
        return ciphers.seal(self._cipher, self._key, fresh, content, aad=_bound(plan, since))


def _bound(plan: SharePlan, since: int) -> bytes:
    return plan.set_id + since.to_bytes(8, "big")


def _progress(plan: SharePlan, given: _Given | None) -> UnlockProgress:
    count, nonce = (len(given[1]), given[0]) if given is not None else (0, "")
    return UnlockProgress("shares", plan.threshold, plan.shares, count, nonce, plan.set_id.hex())
