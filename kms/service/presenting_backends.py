"""How backends and the custody of keys are shown, the same over HTTP and on the command line."""

from __future__ import annotations

from typing import Any

from kms.models.backends import NATIONAL_TYPES, SOFTWARE, BackendStatus, KeyCustody
from secops.kernel.clock import to_rfc3339


def backend_fields(status: BackendStatus) -> dict[str, Any]:
    """Return a backend's record. It names no library, token, index or password."""
    return {
        "name": status.name,
        "kind": status.kind,
        "centre": status.centre,
        "group": status.group,
        "healthy": status.healthy,
        "draining": status.draining,
        "failure": status.failure or None,
        "checked_at": None if status.checked_at is None else to_rfc3339(status.checked_at),
        "algorithms": list(status.algorithms),
        "keys": status.keys,
        "calls": status.calls,
        "failures": status.failures,
        "rate": round(status.rate, 3),
    }


def custody_fields(key: KeyCustody) -> dict[str, Any]:
    """Return where a key is and how it stands."""
    due = key.rotation_due_at
    return {
        "id": key.id,
        "name": key.name,
        "mount": key.mount,
        "type": key.type,
        "state": key.state,
        "backend": key.backend,
        "places": sorted(key.places),
        "latest_version": key.latest_version,
        "rotated_at": to_rfc3339(key.rotated_at),
        "rotation_due_at": None if due is None else to_rfc3339(due),
        "users": key.users,
        "national_algorithm": is_national(key),
        "in_device": is_in_device(key),
    }


def is_national(key: KeyCustody) -> bool:
    """Tell whether the algorithm is a national one (the crypto assessment's A)."""
    return key.type in NATIONAL_TYPES


def is_in_device(key: KeyCustody) -> bool:
    """Tell whether no version's material is in software.

    It is what the assessment's K asks first; whether the device is a certified product stands
    in its certificate.
    """
    return SOFTWARE not in key.places
