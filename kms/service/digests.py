"""Random bytes and hashes for callers: no key, no secret, no leaf."""

from __future__ import annotations

from typing import Final

from kms.core.transit import requests, texts
from kms.service.key_use import Fields
from secops.crypto import hashes
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_USE

MAX_RANDOM: Final = 128 * 1024


class Digests:
    """Answers that need no key."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def random_bytes(self, actor: Actor, fields: Fields, path_bytes: str | None = None) -> str:
        """Return ``bytes`` (default 32) unpredictable bytes, in Base64 or ``format`` hex."""
        self._parts.access.require(actor, KEY_USE)
        count = fields.get("bytes", 32)
        if path_bytes is not None and path_bytes.isascii() and path_bytes.isdigit():
            count = int(path_bytes[:8])
        if type(count) is not int or not 1 <= count <= MAX_RANDOM:
            msg = f"bytes is a number from 1 to {MAX_RANDOM}"
            raise Invalid(msg)
        return _format(fields, self._parts.randomness.bytes(count), "base64")

    def hash_input(self, actor: Actor, fields: Fields, path_hash: str | None = None) -> str:
        """Return the digest of ``input`` by ``algorithm`` (default sha2-256), hex or Base64."""
        self._parts.access.require(actor, KEY_USE)
        name = requests.hash_named(path_hash or fields.get("algorithm") or "sha2-256")
        found = hashes.digest(name, texts.decode_base64(fields.get("input"), "input"))
        return _format(fields, found, "hex")


def _format(fields: Fields, data: bytes, default: str) -> str:
    wanted = fields.get("format") or default
    if wanted not in ("hex", "base64"):
        msg = "format is hex or base64"
        raise Invalid(msg)
    return data.hex() if wanted == "hex" else texts.encode_base64(data)
