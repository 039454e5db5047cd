"""What a backup of a key holds, and what a restore may bring back: never more than is allowed now.

A backup is sealed under a key of the pool, bound to organisation and mount. What was
destroyed or trimmed since stays so, minimums are not lowered, and a suspended key comes back
suspended.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

import orjson

from kms.core.keys.lifecycle import next_rotation
from kms.errors.keys import RestoreRefused
from kms.models.keys import KEY_TYPES, Key, KeyVersion
from secops.kernel.canonical import canonical_record
from secops.kernel.errors import Invalid

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class BackedUpVersion:
    """One version with its material."""

    version: int
    created_at: int
    material: bytes


@dataclass(frozen=True, slots=True)
class KeyBackup:
    """A key as it was, with the material of its versions."""

    key: Key
    versions: tuple[BackedUpVersion, ...]


def backup_context(org_id: str, mount: str) -> bytes:
    """Return what a backup is bound to; ``mount`` is the mount's identifier."""
    return canonical_record({"what": "key_backup", "org": org_id, "mount": mount})


def write_backup(
    key: Key, versions: Mapping[int, KeyVersion], materials: Mapping[int, bytes]
) -> bytes:
    """Return the backup's content; a secret until it is sealed."""
    rows = [
        [number, versions[number].created_at, base64.b64encode(material).decode()]
        for number, material in sorted(materials.items())
    ]
    return orjson.dumps({"v": _FORMAT, "key": asdict(key), "versions": rows})


def read_backup(content: bytes) -> KeyBackup:
    """Return what ``write_backup`` wrote; raise ``Invalid`` for another format's."""
    try:
        read: Any = orjson.loads(content)
        known = {field.name for field in fields(Key)}
        told = {name: value for name, value in read["key"].items() if name in known}
        key = Key(**told)
        versions = tuple(
            BackedUpVersion(number, at, base64.b64decode(material))
            for number, at, material in read["versions"]
        )
        sound = read["v"] == _FORMAT and key.type in KEY_TYPES
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = "the backup is of another format"
        raise Invalid(msg) from error
    if not sound:
        msg = "the backup is of another format"
        raise Invalid(msg)
    return KeyBackup(key, versions)


def restored(backup: KeyBackup, current: Key | None, *, suspended: bool, now: int) -> KeyBackup:
    """Return what comes back where the backed-up key is ``current`` today (None: it is gone).

    ``suspended`` says that the key is revoked. Raises ``RestoreRefused``.
    """
    key = backup.key
    if current is not None:
        if current.state in ("destroyed", "pending_destruction"):
            msg = f"the key {current.name} was destroyed, or is about to be"
            raise RestoreRefused(msg)
        key = replace(
            key,
            state=current.state,
            min_decryption_version=max(key.min_decryption_version, current.min_decryption_version),
            min_encryption_version=max(key.min_encryption_version, current.min_encryption_version),
            min_available_version=max(key.min_available_version, current.min_available_version),
        )
    lowest = max(key.min_available_version, key.min_decryption_version, 1)
    if lowest > key.latest_version or key.min_encryption_version > key.latest_version:
        msg = "every version in the backup was trimmed or is below a minimum today"
        raise RestoreRefused(msg)
    versions = tuple(
        row for row in backup.versions if row.version >= max(key.min_available_version, 1)
    )
    key = replace(
        key,
        state="suspended" if suspended else key.state,
        deletion_allowed=False,
        destroy_at=0,
        next_rotation_at=next_rotation(key, now),
    )
    return KeyBackup(key, versions)
