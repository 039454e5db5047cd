"""Providers in force, opened once for each configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from iam.errors import UpstreamRefused
from iam.models.upstream import Upstream
from iam.ports import UpstreamFactory, UpstreamIdentity
from iam.service.means import Means


def secret_binding(org_id: str, upstream_id: str) -> bytes:
    """Return what a provider's sealed secret is bound to."""
    return f"upstream|{org_id}|{upstream_id}".encode()


@dataclass(frozen=True, slots=True)
class Providers:
    """Looks providers up; what one has learned (metadata, keys) lasts until it is changed."""

    means: Means
    factory: UpstreamFactory
    _opened: dict[str, tuple[int, UpstreamIdentity]] = field(default_factory=dict)

    def require(self, upstream_id: str) -> Upstream:
        """Return the provider in force; raise ``UpstreamRefused`` where there is none."""
        read = self.means.parts.transactions.read
        found = read(lambda tx: self.means.stores.upstreams.find(tx, upstream_id))
        if found is None or found.state != "active":
            msg = "no such provider is in force"
            raise UpstreamRefused(msg)
        return found

    def open(self, upstream: Upstream) -> UpstreamIdentity:
        """Return the provider, ready to be asked."""
        plan = upstream.plan
        known = self._opened.get(plan.id)
        if known is not None and known[0] == upstream.changed_at:
            return known[1]
        binding = secret_binding(upstream.org_id, plan.id)
        secret = self.means.box.open(upstream.sealed_secret, binding)
        opened = self.factory.open(plan, secret)
        self._opened[plan.id] = (upstream.changed_at, opened)
        return opened
