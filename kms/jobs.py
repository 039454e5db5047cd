"""Scheduled work: files that waited for an approval go; batches of e-certificates go on."""

from __future__ import annotations

from typing import Final

from kms.service import KmsServices
from secops.kernel.jobs import Job

_REQUESTED_SECONDS: Final = 60.0
_BATCH_SECONDS: Final = 1.0


def jobs(services: KmsServices) -> tuple[Job, ...]:
    """Return the plane's jobs."""
    requests = services.seal_use_requests
    return (
        Job("kms.requested_documents", _REQUESTED_SECONDS, requests.drop_kept_documents),
        Job("kms.ecertificates", _BATCH_SECONDS, services.ecertificates.runner.tick),
    )
