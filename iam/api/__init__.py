"""The plane's HTTP: OAuth 2 and OpenID Connect surfaces, and administration as JSON."""

from __future__ import annotations

from iam.api import (
    accounts,
    applications,
    break_glass,
    cas,
    changes,
    consents,
    factors,
    locks,
    mandates,
    messages,
    oauth,
    organisations,
    own,
    policies,
    provider,
    recoveries,
    registration,
    scim,
    sites,
    upstreams,
)
from iam.service import IamServices
from secops.web.routes import Route


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return every route of the plane."""
    return (
        *oauth.routes(services),
        *provider.routes(services),
        *sites.routes(services),
        *accounts.routes(services),
        *applications.routes(services),
        *registration.routes(services),
        *organisations.routes(services),
        *mandates.routes(services),
        *changes.routes(services),
        *own.routes(services),
        *consents.routes(services),
        *factors.routes(services),
        *messages.routes(services),
        *recoveries.routes(services),
        *break_glass.routes(services),
        *upstreams.routes(services),
        *cas.routes(services),
        *scim.routes(services),
        *policies.routes(services),
        *locks.routes(services),
    )
