"""What a wrapped key and a stored record are bound to.

A wrapped version opens only for its own key, version, type and organisation (AAD), and
every row carries a tag under the root key: a row that was moved, edited or taken from
another key is refused. A whole older state put back is not visible here; the ledger's
leaves (``kms.rotate_key`` names the version) show it.
"""

from __future__ import annotations

from dataclasses import asdict

from kms.models.keys import Key, KeyGrant, KeyVersion
from secops.crypto.hashes import sha256
from secops.kernel.canonical import canonical_record


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
    return canonical_record({"what": "key", **asdict(key)})


def version_record(version: KeyVersion) -> bytes:
    """Return the bytes whose tag is stored beside ``version``."""
    return canonical_record(
        {
            "what": "version",
            "key": version.key_id,
            "version": version.version,
            "created_at": version.created_at,
            "public": sha256(version.public_key).hex(),
            "wrapped": sha256(version.wrapped).hex(),
        }
    )


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
