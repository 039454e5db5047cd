"""A key as Vault's ``GET /transit/keys/:name`` shows it. Never its private half."""

from __future__ import annotations

import base64
from typing import Any, Final

from kms.models.keys import Key, KeyVersion, LoadedKey
from secops.crypto.pem import to_pem
from secops.kernel.clock import SECOND, to_rfc3339

_ED25519_LENGTH: Final = 32


def describe_key(loaded: LoadedKey) -> dict[str, Any]:
    """Return the ``data`` of a key in Vault's words."""
    key = loaded.key
    kind = key.kind
    return {
        "name": key.name,
        "type": key.type,
        "keys": {
            str(number): describe_version(key, version)
            for number, version in sorted(loaded.versions.items())
            if number >= key.min_decryption_version
        },
        "latest_version": key.latest_version,
        "min_available_version": key.min_available_version,
        "min_decryption_version": key.min_decryption_version,
        "min_encryption_version": key.min_encryption_version,
        "deletion_allowed": key.deletion_allowed,
        "exportable": key.exportable,
        "allow_plaintext_backup": key.allow_plaintext_backup,
        "auto_rotate_period": key.auto_rotate_period,
        "derived": key.derived,
        "convergent_encryption": key.convergent_encryption,
        **({"convergent_encryption_version": 3} if key.convergent_encryption else {}),
        **({"kdf": "hkdf_sha256"} if key.derived else {}),
        "imported_key": key.imported,
        **({"imported_key_allow_rotation": key.allow_rotation} if key.imported else {}),
        "supports_encryption": kind.encrypts,
        "supports_decryption": kind.encrypts,
        "supports_signing": kind.signs,
        "supports_derivation": kind.derives,
        "state": key.state,
    }


def describe_version(key: Key, version: KeyVersion) -> int | dict[str, str]:
    """Return a version: Unix seconds of a symmetric one, name and public key of others."""
    if not key.kind.signs:
        return version.created_at // SECOND
    return {
        "name": key.kind.vault_name,
        "public_key": public_text(key, version.public_key),
        "creation_time": to_rfc3339(version.created_at),
        "certificate_chain": "",
    }


def public_text(key: Key, spki: bytes) -> str:
    """Return a public key as PEM; Ed25519's raw bytes in Base64, as Vault does."""
    if key.type == "ed25519":
        return base64.b64encode(spki[-_ED25519_LENGTH:]).decode()
    return to_pem("PUBLIC KEY", spki)
