"""The plane's HTTP: Transit and its system calls in Vault's shapes, keys, seals."""

from __future__ import annotations

from kms.api import (
    authority,
    backends,
    certificates,
    ecertificate_batches,
    ecertificate_templates,
    ecertificates,
    key_control,
    keys,
    limits,
    mounts,
    openpgp,
    province,
    seal_policies,
    seal_requests,
    seal_uses,
    seals,
    sys,
    time_stamps,
    transit,
    trust_anchors,
)
from kms.api.locking import behind_lock
from kms.service import KmsServices
from secops.web.routes import Route


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return every route of the plane; those of keys only while they are unlocked."""
    every = (
        *transit.routes(services),
        *sys.routes(services),
        *keys.routes(services),
        *key_control.routes(services),
        *limits.routes(services),
        *backends.routes(services),
        *mounts.routes(services),
        *seals.routes(services),
        *seal_uses.routes(services),
        *seal_policies.routes(services),
        *seal_requests.routes(services),
        *province.routes(services),
        *authority.routes(services),
        *certificates.routes(services),
        *trust_anchors.routes(services),
        *time_stamps.routes(services),
        *openpgp.routes(services),
        *ecertificates.routes(services),
        *ecertificate_templates.routes(services),
        *ecertificate_batches.routes(services),
    )
    return tuple(behind_lock(route, services) for route in every)
