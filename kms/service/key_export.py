"""Export of key material, for keys that were created exportable.

Two leaves: the intent is durable before anything is unwrapped, the outcome before it leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kms.core.keys import lifecycle
from kms.core.transit.texts import encode_base64
from kms.errors.keys import NotExportable, OperationUnsupported
from kms.models.keys import DEFAULT_MOUNT, Key, LoadedKey
from kms.service.key_ring import KeyRing
from kms.service.key_use import KeyUse
from kms.service.keys import subject_of
from secops.crypto.pem import to_pem
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_USE
from secops.kernel.trail import Act

_KINDS: Final = frozenset({"encryption-key", "signing-key", "hmac-key"})


@dataclass(frozen=True, slots=True)
class Exported:
    """The material in Vault's words; ``act`` must be durable before it goes out."""

    data: dict[str, Any]
    act: Act


class KeyExport:
    """Lets material out where key and grant both allow it."""

    def __init__(self, parts: Parts, ring: KeyRing) -> None:
        self._parts = parts
        self._ring = ring
        self._use = KeyUse(ring, parts.randomness)

    def export_key(
        self, actor: Actor, name: str, *, kind: str, version: str = "", mount: str = DEFAULT_MOUNT
    ) -> Exported:
        """Return the versions asked for ("" all, "latest", or a number)."""
        self._parts.access.require(actor, KEY_USE, f"key:{name}")
        loaded = self._ring.usable(actor.org_id, name, mount=mount)
        lifecycle.demand_operation(loaded, "export", subject_of(actor))
        key = loaded.key
        if not key.exportable:
            raise NotExportable
        _demand_kind(key, kind)
        numbers = _numbers(loaded, version)
        details = {"kind": kind, "versions": numbers}
        intent = Act("kms.export_key", actor, f"key:{key.id}", "intent", details)
        self._parts.trail.append([intent])
        keys = {str(number): self._text(loaded, number, kind) for number in numbers}
        act = Act("kms.export_key", actor, f"key:{key.id}", details=details)
        return Exported({"name": key.name, "type": key.type, "keys": keys}, act)

    def _text(self, loaded: LoadedKey, version: int, kind: str) -> str:
        if kind == "hmac-key":
            return encode_base64(self._use.hmac_key(loaded, version))
        material = self._ring.material(loaded, version)
        signs = loaded.key.kind.signs
        return to_pem("PRIVATE KEY", material) if signs else encode_base64(material)


def _demand_kind(key: Key, kind: str) -> None:
    # every key makes HMACs, most of them under a key derived for that alone
    fits = {"encryption-key": key.kind.encrypts, "signing-key": key.kind.signs, "hmac-key": True}
    if not fits.get(kind, False):
        msg = f"a key of type {key.type} is no {kind if kind in _KINDS else 'such key'}"
        raise OperationUnsupported(msg)


def _numbers(loaded: LoadedKey, version: str) -> list[int]:
    numbers = [n for n in sorted(loaded.versions) if n >= loaded.key.min_decryption_version]
    if not version:
        return numbers
    if version == "latest":
        return [loaded.key.latest_version]
    if not version.isascii() or not version.isdigit() or int(version[:9]) not in numbers:
        msg = "there is no such version to export"
        raise Invalid(msg)
    return [int(version[:9])]
