"""How a key is shown to whoever asks: Vault's words, never the private half."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from kms.core.transit.description import describe_key
from kms.core.transit.durations import read_duration
from kms.core.transit.texts import decode_base64, encode_base64
from kms.errors.keys import OperationUnsupported, VersionUnavailable
from kms.models.keys import Destruction, Key, LoadedKey
from kms.service.keys import Keys
from secops.crypto.pem import to_pem
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import to_rfc3339
from secops.kernel.pages import every_item


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


def in_base64(data: bytes) -> str:
    """Return ``data`` as Transit's requests carry it."""
    return encode_base64(data)


def summarise(key: Key) -> dict[str, Any]:
    """Return a key's short record, as lists show it."""
    return {
        "id": key.id,
        "name": key.name,
        "type": key.type,
        "latest_version": key.latest_version,
        "state": key.state,
        "created_at": to_rfc3339(key.created_at),
        "next_rotation_at": to_rfc3339(key.next_rotation_at) if key.next_rotation_at else None,
        "destroy_at": to_rfc3339(key.destroy_at) if key.destroy_at else None,
    }


def describe_destruction(destruction: Destruction, approval: Approval) -> dict[str, Any]:
    """Return a request to destroy a key, with the exact change and how it was decided."""
    return {
        "id": destruction.id,
        "key_id": destruction.key_id,
        "key_name": destruction.key_name,
        "mount": destruction.mount,
        "approval": approval.state,
        "requester_id": approval.requester_id,
        "approver_id": approval.approver_id,
        "delay_days": destruction.delay_days,
        "requested_at": to_rfc3339(destruction.requested_at),
        "change": orjson.loads(destruction.change),
    }


def list_grants(loaded: LoadedKey) -> list[dict[str, Any]]:
    """Return who may do what with a key."""
    return [
        {"subject": subject, "operations": sorted(operations)}
        for subject, operations in sorted(loaded.grants.items())
    ]


def seconds_of(fields: Mapping[str, Any], name: str) -> int:
    """Return the span of time ``name`` in seconds, 0 where there is none; raise ``Invalid``."""
    value = fields.get(name)
    return 0 if value in (None, "") else read_duration(value, name)


def read_wrapped(text: object) -> bytes:
    """Return the wrapped key that an import's ``ciphertext`` holds in Base64."""
    return decode_base64(text, "ciphertext")


def list_all(keys: Keys, actor: Actor) -> list[dict[str, Any]]:
    """Return all keys the actor may see, one short record each, by name."""
    return [summarise(key) for key in every_item(lambda page: keys.list_keys(actor, page))]
