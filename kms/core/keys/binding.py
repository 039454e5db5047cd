"""What a wrapped key and a stored record are bound to.

A wrapped version opens only for its own key, version, type and organisation (AAD), and
every row carries a tag under the root key: a row that was moved, edited or taken from
another key is refused. A whole older state put back is not visible here; the ledger's
leaves (``kms.rotate_key`` names the version) show it.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, Final

from kms.models.backends import SOFTWARE
from kms.models.keys import Key, KeyGrant, KeyVersion, Mount
from secops.crypto.hashes import sha256
from secops.kernel.canonical import canonical_record

_FIRST_FIELDS: Final = frozenset(
    {
        "id",
        "org_id",
        "mount",
        "name",
        "type",
        "created_at",
        "state",
        "latest_version",
        "min_decryption_version",
        "min_encryption_version",
        "min_available_version",
        "deletion_allowed",
        "exportable",
    }
)
_LATER_FIELDS: Final[dict[str, Any]] = {
    field.name: field.default for field in fields(Key) if field.name not in _FIRST_FIELDS
}
"""Fields that came later stand in the record only where they say something, so that the tags
of keys that were made before stay right."""


def wrapping_context(key: Key, version: int) -> bytes:
    """Return what ``version`` of ``key`` is wrapped with as associated data."""
    return canonical_record(
        {
            "what": "key_version",
            "key": key.id,
            "version": version,
            "type": key.type,
            "org": key.org_id,
        }
    )


def key_record(key: Key) -> bytes:
    """Return the bytes whose tag is stored beside ``key``."""
    told = {
        name: value
        for name, value in asdict(key).items()
        if name in _FIRST_FIELDS or value != _LATER_FIELDS[name]
    }
    return canonical_record({"what": "key", **told})


def mount_record(mount: Mount) -> bytes:
    """Return the bytes whose tag is stored beside ``mount``."""
    return canonical_record({"what": "mount", **asdict(mount)})


def version_record(version: KeyVersion) -> bytes:
    """Return the bytes whose tag is stored beside ``version``."""
    told: dict[str, str | int] = {
        "what": "version",
        "key": version.key_id,
        "version": version.version,
        "created_at": version.created_at,
        "public": sha256(version.public_key).hex(),
        "wrapped": sha256(version.wrapped).hex(),
    }
    if version.backend != SOFTWARE:  # tags made before there were backends stay right
        told["backend"] = version.backend
    return canonical_record(told)


def grant_record(grant: KeyGrant) -> bytes:
    """Return the bytes whose tag is stored beside ``grant``."""
    return canonical_record(
        {
            "what": "grant",
            "key": grant.key_id,
            "subject": grant.subject,
            "operations": sorted(grant.operations),
            "granted_at": grant.granted_at,
        }
    )
