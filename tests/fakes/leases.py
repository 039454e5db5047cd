"""Leases in memory, on the fake clock."""

from __future__ import annotations

from secops.kernel.clock import SECOND, Clock
from secops.kernel.leases import LONGEST, Lease
from tests.fakes.clock import FakeClock


class FakeLeases:
    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or FakeClock()
        self._held: dict[str, Lease] = {}

    def acquire(self, name: str, owner: str, seconds: float) -> Lease | None:
        held = self._held.get(name)
        now = self._clock.now()
        last = now + round(LONGEST * SECOND)
        if held is not None and now < held.until <= last and held.owner != owner:
            return None
        fence = held.fence + 1 if held else 1
        lease = Lease(name, owner, fence, now + round(seconds * SECOND))
        self._held[name] = lease
        return lease

    def renew(self, lease: Lease, seconds: float) -> Lease | None:
        held = self._held.get(lease.name)
        now = self._clock.now()
        if held is None or not _same(held, lease) or held.until <= now:
            return None
        renewed = Lease(lease.name, lease.owner, lease.fence, now + round(seconds * SECOND))
        self._held[lease.name] = renewed
        return renewed

    def release(self, lease: Lease) -> None:
        held = self._held.get(lease.name)
        if held is not None and _same(held, lease):
            self._held[lease.name] = Lease(lease.name, lease.owner, lease.fence, 0)


def _same(held: Lease, lease: Lease) -> bool:
    return (held.owner, held.fence) == (lease.owner, lease.fence)
