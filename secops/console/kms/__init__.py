"""Keys, seals and the public verification page."""

from secops.console.kms import (
    certificates,
    ecertificate_batches,
    ecertificate_templates,
    ecertificate_verify,
    ecertificates,
    key_limits,
    key_pool,
    keys,
    openpgp,
    policies,
    previews,
    seal_requests,
    seals,
    trust_anchors,
    verify,
)
from secops.console.parts import Desk
from secops.web.routes import Route

__all__ = ["routes"]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the plane's pages."""
    return (
        *seals.routes(desk),
        *policies.routes(desk),
        *seal_requests.routes(desk),
        *previews.routes(desk),
        *verify.routes(desk),
        *certificates.routes(desk),
        *trust_anchors.routes(desk),
        *openpgp.routes(desk),
        *key_pool.routes(desk),
        *keys.routes(desk),
        *key_limits.routes(desk),
        *ecertificates.routes(desk),
        *ecertificate_templates.routes(desk),
        *ecertificate_batches.routes(desk),
        *ecertificate_verify.routes(desk),
    )
