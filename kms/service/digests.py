"""Random bytes and hashes for callers: no key, no secret, no leaf."""

from __future__ import annotations

from typing import Final

from kms.core.transit import requests, texts
from kms.service.transit import Fields
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

    def random_bytes(self, actor: Actor, fields: Fields, path_bytes: str | None = None) -> bytes:
        """Return ``bytes`` (default 32) unpredictable bytes."""
        self._parts.access.require(actor, KEY_USE)
        count = fields.get("bytes", 32)
        if path_bytes is not None and path_bytes.isascii() and path_bytes.isdigit():
            count = int(path_bytes[:8])
        if type(count) is not int or not 1 <= count <= MAX_RANDOM:
            msg = f"bytes is a number from 1 to {MAX_RANDOM}"
            raise Invalid(msg)
        return self._parts.randomness.bytes(count)

    def hash_input(self, actor: Actor, fields: Fields, path_hash: str | None = None) -> bytes:
        """Return the digest of ``input`` by ``algorithm`` (default sha2-256)."""
        self._parts.access.require(actor, KEY_USE)
        name = requests.hash_named(path_hash or fields.get("algorithm") or "sha2-256")
        return hashes.digest(name, texts.decode_base64(fields.get("input"), "input"))
