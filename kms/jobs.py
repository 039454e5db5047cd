"""Scheduled work: what waited goes, batches go on, keys are rotated and destroyed when due."""

from __future__ import annotations

from typing import Final

from kms.service import KmsServices
from secops.kernel.jobs import Job

_REQUESTED_SECONDS: Final = 60.0
_BATCH_SECONDS: Final = 1.0
_SWEEP_SECONDS: Final = 60.0
_DUE_SECONDS: Final = 30.0
_PROVINCE_SECONDS: Final = 300.0


def jobs(services: KmsServices) -> tuple[Job, ...]:
    """Return the plane's jobs."""
    requests, backends = services.seal_use_requests, services.backend_control
    return (
        Job("kms.requested_documents", _REQUESTED_SECONDS, requests.drop_kept_documents),
        Job("kms.backend_objects", _SWEEP_SECONDS, backends.sweep_objects),
        Job("kms.backend_checks", _SWEEP_SECONDS, backends.check_backends),
        Job("kms.ecertificates", _BATCH_SECONDS, services.ecertificates.runner.tick),
        Job(
            "kms.remote_seals",
            _PROVINCE_SECONDS,
            services.remote_seal_states.refresh_remote_seals,
        ),
        Job("kms.rotation", _DUE_SECONDS, services.key_rotation.rotate_due_keys),
        Job("kms.destruction", _DUE_SECONDS, services.key_destruction.destroy_due_keys),
    )
