"""How a key is shown to whoever asks: Vault's words, never the private half."""

from __future__ import annotations

from typing import Any

from kms.core.transit.description import describe_key, to_pem
from kms.errors.keys import OperationUnsupported, VersionUnavailable
from kms.models.keys import LoadedKey


def describe(loaded: LoadedKey) -> dict[str, Any]:
    """Return a key in Vault's words."""
    return describe_key(loaded)


def public_pem(loaded: LoadedKey, version: int = 0) -> str:
    """Return the public key of ``version`` (0 = latest) as PEM."""
    if not loaded.key.kind.signs:
        msg = f"a key of type {loaded.key.type} has no public half"
        raise OperationUnsupported(msg)
    row = loaded.versions.get(version or loaded.key.latest_version)
    if row is None:
        msg = f"the key {loaded.key.name} has no version {version}"
        raise VersionUnavailable(msg)
    return to_pem("PUBLIC KEY", row.public_key)
