"""Makes providers of every kind from their plans."""

from __future__ import annotations

from dataclasses import dataclass

from iam.models.upstream import CasSettings, OidcSettings, TicketSettings, UpstreamPlan
from iam.ports import Outbound, UpstreamIdentity
from iam.service.upstream.kinds.cas import CasUpstream
from iam.service.upstream.kinds.ldap import LdapUpstream
from iam.service.upstream.kinds.oidc import OidcUpstream
from iam.service.upstream.kinds.ticket import TicketUpstream
from secops.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Implements ``iam.ports.UpstreamFactory`` over the guarded way out."""

    outbound: Outbound
    clock: Clock

    def open(self, plan: UpstreamPlan, secret: bytes) -> UpstreamIdentity:
        """Return the provider of ``plan``; nothing is asked yet."""
        settings = plan.settings
        if isinstance(settings, OidcSettings):
            return OidcUpstream(settings, secret, self.outbound, self.clock)
        if isinstance(settings, TicketSettings):
            return TicketUpstream(settings, secret, self.outbound, self.clock)
        if isinstance(settings, CasSettings):
            return CasUpstream(settings, secret, self.outbound)
        return LdapUpstream(settings, secret, self.outbound)
