"""Limits of keys and quotas of organisations, asked at every use and changed by version.

The way of a use costs a look into memory: limits are kept by the version that the key's own row
names, a quota for a second, counted uses by lease (core/keys/limits.py says why).
"""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass, replace
from typing import Final

from kms.core.keys import limits as rules
from kms.errors.keys import MaterialTampered, RestoreRefused
from kms.errors.limits import (
    DailyQuotaExceeded,
    KeyLimitReached,
    QuotaExceeded,
)
from kms.models.keys import Key
from kms.models.limits import NO_RISK_LIMIT, Counter, KeyLimits, Quota
from kms.ports.limits import LimitStore
from kms.ports.seals import CallerRisks
from kms.service.custody import Pool
from kms.service.kept import keep
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction
from secops.kernel.waiting import Renewal, about_to_wait

_TRUSTED_SECONDS: Final = 1.0
_FREE: Final = KeyLimits("")


@dataclass(slots=True)
class _Lease:
    """Uses that were counted already and are not spent yet. Another version or day has none."""

    version: int
    period: int
    left: int


@dataclass(frozen=True, slots=True)
class LimitMeans:
    """What limits are kept with and asked by."""

    parts: Parts
    pool: Pool
    store: LimitStore
    risks: CallerRisks

    def tag(self, record: bytes) -> bytes:
        """Return the tag that only the root key makes."""
        return self.pool.require_unlocked().authenticate(record)


class KeyLimiter:
    """Says whether one use may be. Safe in any number of threads."""

    def __init__(self, means: LimitMeans) -> None:
        self._means = means
        self._parts = means.parts
        self._store = means.store
        self._limits: dict[tuple[str, int], KeyLimits] = {}
        self._quotas: dict[str, tuple[Quota, float, Renewal]] = {}
        self._leases: dict[str, _Lease] = {}
        self._lock = threading.Lock()

    def demand(self, actor: Actor, key: Key, uses: int = 1) -> None:
        """Count ``uses`` of ``key`` by ``actor``, all or none; raise what stands against it.

        Raises ``KeyLimitReached`` and ``DailyQuotaExceeded``.
        """
        limits = self.limits_of(key)
        if limits.version:
            self._demand_within(actor, limits)
        quota = self.quota_of(key.org_id)
        counted = limits.max_uses is not None
        if counted:
            # a handler that must wait later is run again, and would count twice
            about_to_wait()
        if quota.daily_operations is not None:
            self._count_daily(quota, quota.daily_operations, uses)
        if counted:
            self._count_use(key, limits, uses)

    def limits_of(self, key: Key) -> KeyLimits:
        """Return the key's limits; raise ``MaterialTampered`` where they were taken away."""
        if not key.limits_version:
            return _FREE
        known = (key.id, key.limits_version)
        found = self._limits.get(known)
        if found is None:
            found = self._parts.transactions.read(lambda tx: self._read_limits(tx, key))
            keep(self._limits, known, found)
        return found

    def quota_of(self, org_id: str) -> Quota:
        """Return the organisation's quota as it was at most a second ago."""
        now = self._parts.clock.monotonic()
        found = self._quotas.get(org_id)
        if found is not None and now < found[1] and not found[2].is_mine(now):
            return found[0]
        quota = self._parts.transactions.read(lambda tx: self.read_quota(tx, org_id))
        renewal = Renewal(now + _TRUSTED_SECONDS / 2)
        keep(self._quotas, org_id, (quota, now + _TRUSTED_SECONDS, renewal))
        return quota

    def read_quota(self, transaction: Transaction, org_id: str) -> Quota:
        """Return the organisation's quota inside a unit of work."""
        found = self._store.quota(transaction, org_id)
        if found is None:
            return Quota(org_id)
        quota, tag = found
        self._demand_tag(rules.quota_record(quota), tag)
        return quota

    def carry(self, transaction: Transaction, source: Key, key: Key) -> Key:
        """Return ``key``, restored from a backup of ``source``, with the limits of ``source``.

        Those in force here count, whenever the backup was made; where there are none though
        the backup says there were, ``RestoreRefused``.
        """
        found = self._store.limits(transaction, source.id)
        if found is None:
            if source.limits_version:
                msg = f"the limits of {source.name} are not in this pool"
                raise RestoreRefused(msg)
            return key
        limits, tag = found
        self._demand_tag(rules.limits_record(limits), tag)
        if key.id == source.id:
            return replace(key, limits_version=limits.version)
        copy = replace(limits, key_id=key.id, version=1)
        tag = self._means.tag(rules.limits_record(copy))
        self._store.put_limits(transaction, key.org_id, copy, tag=tag)
        return replace(key, limits_version=1)

    def demand_room(self, transaction: Transaction, org_id: str, *, more: int = 0) -> None:
        """Return if what is stored and ``more`` versions fit; raise ``QuotaExceeded``."""
        quota = self.read_quota(transaction, org_id)
        if quota.keys is None and quota.versions is None:
            return
        keys, versions = self._store.counts(transaction, org_id)
        if quota.keys is not None and keys > quota.keys:
            msg = f"the organisation may have {quota.keys} keys, and has them"
            raise QuotaExceeded(msg)
        if quota.versions is not None and versions + more > quota.versions:
            msg = f"the organisation may have {quota.versions} key versions, and has them"
            raise QuotaExceeded(msg)

    def _demand_within(self, actor: Actor, limits: KeyLimits) -> None:
        client = actor.client_id or (actor.id if actor.kind == "client" else "")
        # the risk is looked up only where it can matter
        limited = limits.max_risk < NO_RISK_LIMIT
        risk = self._means.risks.risk_of(actor) if limited else 0
        rules.demand_within(limits, rules.KeyUse(self._parts.clock.now(), client, risk))

    def _count_daily(self, quota: Quota, cap: int, uses: int) -> None:
        now = self._parts.clock.now()
        counter = Counter(f"org:{quota.org_id}", quota.org_id, rules.beijing_day(now))
        if not self._spend(counter, quota.version, cap, uses):
            msg = f"the organisation has used its keys {cap} times today, as often as it may"
            raise DailyQuotaExceeded(msg, retry_after=rules.seconds_to_midnight(now))

    def _count_use(self, key: Key, limits: KeyLimits, uses: int) -> None:
        cap = limits.max_uses or 0
        if not self._spend(Counter(f"key:{key.id}", key.org_id), limits.version, cap, uses):
            msg = f"the key was used {cap} times, as often as it may be"
            raise KeyLimitReached(msg)

    def _spend(self, counter: Counter, version: int, cap: int, uses: int) -> bool:
        """Spend ``uses`` of a lease, taking more where it has too few; False if too few are left.

        What was leased and is too little stays leased, for smaller uses.
        """
        with self._lock:
            lease = self._leases.get(counter.id)
            if lease is None or (lease.version, lease.period) != (version, counter.period):
                lease = _Lease(version, counter.period, 0)
                keep(self._leases, counter.id, lease)
            if lease.left >= uses:
                lease.left -= uses
                return True
        wanted = max(rules.lease_size(cap), uses)
        granted = self._parts.transactions.run(
            lambda tx: self._store.lease(tx, counter, cap=cap, wanted=wanted)
        )
        with self._lock:
            lease.left += granted
            if lease.left < uses:
                return False
            lease.left -= uses
            return True

    def _read_limits(self, transaction: Transaction, key: Key) -> KeyLimits:
        found = self._store.limits(transaction, key.id)
        if found is None or found[0].version != key.limits_version:
            msg = f"the limits of the key {key.name} are not those it was given"
            raise MaterialTampered(msg)
        limits, tag = found
        self._demand_tag(rules.limits_record(limits), tag)
        return limits

    def _demand_tag(self, record: bytes, tag: bytes) -> None:
        if not hmac.compare_digest(self._means.tag(record), tag):
            msg = "stored limits do not belong to this pool's root key"
            raise MaterialTampered(msg)
