"""Setting limits of keys and quotas of organisations, each over the version looked at."""

from __future__ import annotations

from dataclasses import replace

from kms.core.keys import limits as rules
from kms.errors.limits import LimitsChanged
from kms.models.keys import DEFAULT_MOUNT, Key, LoadedKey
from kms.models.limits import Counter, KeyLimits, Quota, Tenancy
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing, read_now
from kms.service.limits import KeyLimiter, LimitMeans
from kms.service.tenants import Tenants, demand_reach, demand_whole
from secops.kernel.actors import Actor
from secops.kernel.errors import Conflict
from secops.kernel.permissions.kms import KEY_CONFIGURE, KEY_READ_ALL
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


class LimitControl:
    """Sets limits and quotas, each over the version that was looked at."""

    def __init__(
        self,
        means: LimitMeans,
        limiter: KeyLimiter,
        tenants: Tenants,
        *,
        ring: KeyRing,
        maker: KeyMaker,
    ) -> None:
        self._means = means
        self._parts = means.parts
        self._store = means.store
        self._limiter = limiter
        self._tenants = tenants
        self._ring = ring
        self._maker = maker

    def show_key_limits(self, actor: Actor, name: str, *, mount: str = DEFAULT_MOUNT) -> KeyLimits:
        """Return the limits of a key of the actor's organisation."""
        self._parts.access.require(actor, KEY_READ_ALL, f"key:{name}")
        return self._present(self._load(actor, name, mount).key)

    def set_key_limits(
        self, actor: Actor, name: str, wish: KeyLimits, *, mount: str = DEFAULT_MOUNT
    ) -> KeyLimits:
        """Put ``wish`` in place of the limits whose ``version`` it names, and return it.

        Raises ``LimitsChanged`` where somebody else was first.
        """
        self._parts.access.require(actor, KEY_CONFIGURE, f"key:{name}")
        rules.check_limits(wish)
        key = self._load(actor, name, mount).key
        before = self._present(key)
        _demand_version(before.version, wish.version)
        after = replace(wish, key_id=key.id, version=before.version + 1)
        tag = self._means.tag(rules.limits_record(after))
        changed = replace(key, limits_version=after.version)
        details = {"before": _told(before), "after": _told(after)}

        def work(transaction: Transaction) -> KeyLimits:
            self._update(transaction, key, changed)
            if not self._store.put_limits(transaction, key.org_id, after, tag=tag):
                raise LimitsChanged
            act = Act("kms.set_key_limits", actor, f"key:{key.id}", details=details)
            transaction.record(act)
            return after

        return self._parts.transactions.run(work)

    def show_tenant(self, actor: Actor, org_id: str) -> Tenancy:
        """Return an organisation's quota and what it has used of it today."""
        self._parts.access.require(actor, KEY_READ_ALL, f"tenant:{org_id}")
        demand_reach(actor, org_id)
        locked = self._tenants.is_locked(org_id)
        day = rules.beijing_day(self._parts.clock.now())

        def read(transaction: Transaction) -> Tenancy:
            quota = self._limiter.read_quota(transaction, org_id)
            keys, versions = self._store.counts(transaction, org_id)
            leased = self._store.leased(transaction, Counter(f"org:{org_id}", org_id, day))
            return Tenancy(quota, locked, keys, versions, leased)

        return self._parts.transactions.read(read)

    def set_quota(self, actor: Actor, wish: Quota) -> Quota:
        """Put ``wish`` in place of the quota whose ``version`` it names, and return it.

        Only whoever is of the whole installation says what one organisation may have.
        """
        self._parts.access.require(actor, KEY_CONFIGURE, f"tenant:{wish.org_id}")
        demand_whole(actor)
        rules.check_quota(wish)
        after = replace(wish, version=wish.version + 1)
        tag = self._means.tag(rules.quota_record(after))

        def work(transaction: Transaction) -> Quota:
            before = self._limiter.read_quota(transaction, wish.org_id)
            _demand_version(before.version, wish.version)
            if not self._store.put_quota(transaction, after, tag=tag):
                raise LimitsChanged
            details = {"before": _shown(before), "after": _shown(after)}
            target = f"tenant:{wish.org_id}"
            transaction.record(Act("kms.set_quota", actor, target, details=details))
            return after

        return self._parts.transactions.run(work)

    def _update(self, transaction: Transaction, before: Key, after: Key) -> None:
        try:
            self._maker.update(transaction, before, after)
        except Conflict as error:
            raise LimitsChanged from error

    def _present(self, key: Key) -> KeyLimits:
        found = self._limiter.limits_of(key)
        return found if found.version else KeyLimits(key.id)

    def _load(self, actor: Actor, name: str, mount: str) -> LoadedKey:
        return read_now(self._parts, self._ring, (actor.org_id, mount, name))


def _demand_version(present: int, looked_at: int) -> None:
    if present != looked_at:
        msg = f"they are at version {present}: look at them again"
        raise LimitsChanged(msg)


def _told(limits: KeyLimits) -> dict[str, object]:
    return {
        "not_before": limits.not_before,
        "not_after": limits.not_after,
        "max_uses": limits.max_uses,
        "clients": list(limits.clients),
        "max_risk": limits.max_risk,
        "version": limits.version,
    }


def _shown(quota: Quota) -> dict[str, object]:
    return {
        "keys": quota.keys,
        "versions": quota.versions,
        "daily_operations": quota.daily_operations,
        "version": quota.version,
    }
