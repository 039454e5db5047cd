"""What is asked for when a key is to be destroyed, and whether it is due."""

from __future__ import annotations

from typing import Any

from kms.models.keys import Key, LoadedKey
from secops.crypto.hashes import sha256


def describe_loss(loaded: LoadedKey) -> dict[str, Any]:
    """Return what would be lost, for the approver's eyes and for the approval's digest."""
    key = loaded.key
    return {
        "id": key.id,
        "name": key.name,
        "mount": key.mount,
        "type": key.type,
        "created_at": key.created_at,
        "latest_version": key.latest_version,
        "public_keys_sha256": {
            str(number): sha256(version.public_key).hex()
            for number, version in sorted(loaded.versions.items())
            if version.public_key
        },
        "versions": sorted(loaded.versions),
        "granted_to": sorted(loaded.grants),
    }


def is_due(key: Key, now: int) -> bool:
    """Tell whether an approved destruction of ``key`` is due."""
    return key.state == "pending_destruction" and 0 < key.destroy_at <= now
