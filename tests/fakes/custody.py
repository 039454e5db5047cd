"""A custody that binds and refuses like a real one, with XOR for encryption."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from kms.errors.keys import MaterialTampered, PoolLocked, WrongPassphrase

_TAG = 32


class FakeCustody:
    name = "fake"

    def __init__(self) -> None:
        self._root: bytes | None = None
        self._count = 0

    @property
    def is_unlocked(self) -> bool:
        return self._root is not None

    def create_root(self, passphrase: bytes) -> bytes:
        self._root = hashlib.sha256(b"root").digest()
        return self.reseal(passphrase)

    def reseal(self, secret: bytes, plan: Mapping[str, Any] | None = None) -> bytes:
        root, told = self._held(), orjson.dumps(plan)
        key = hashlib.sha256(secret).digest()
        body = bytes(a ^ b for a, b in zip(root, key, strict=True))
        return body + self._check(root + told) + told

    def plan_of(self, envelope: bytes) -> Mapping[str, Any] | None:
        plan: Mapping[str, Any] | None = orjson.loads(envelope[2 * _TAG :])
        return plan

    def unlock(self, envelope: bytes, secret: bytes) -> None:
        key = hashlib.sha256(secret).digest()
        if len(envelope) <= 2 * _TAG:
            raise MaterialTampered
        root = bytes(a ^ b for a, b in zip(envelope[:_TAG], key, strict=True))
        check = self._check(root + envelope[2 * _TAG :])
        if not hmac.compare_digest(check, envelope[_TAG : 2 * _TAG]):
            raise WrongPassphrase
        self._root = root

    def lock(self) -> None:
        self._root = None

    def hand_over(self, key: bytes) -> bytes:
        return self._held() + hashlib.sha256(key).digest()

    def take_over(self, handover: bytes, key: bytes) -> None:
        if len(handover) != 2 * _TAG or handover[_TAG:] != hashlib.sha256(key).digest():
            raise MaterialTampered
        self._root = handover[:_TAG]

    def wrap(self, material: bytes, context: bytes) -> bytes:
        root = self._held()
        self._count += 1
        nonce = self._count.to_bytes(8, "big")
        stream = hashlib.shake_256(root + nonce).digest(len(material))
        body = nonce + bytes(a ^ b for a, b in zip(material, stream, strict=True))
        return body + hmac.digest(root, context + b"|" + body, "sha256")

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        root = self._held()
        body, tag = wrapped[:-_TAG], wrapped[-_TAG:]
        if not hmac.compare_digest(hmac.digest(root, context + b"|" + body, "sha256"), tag):
            raise MaterialTampered
        stream = hashlib.shake_256(root + body[:8]).digest(len(body) - 8)
        return bytes(a ^ b for a, b in zip(body[8:], stream, strict=True))

    def authenticate(self, record: bytes) -> bytes:
        return hmac.digest(self._held(), record, "sha256")

    def _held(self) -> bytes:
        if self._root is None:
            raise PoolLocked
        return self._root

    def _check(self, root: bytes) -> bytes:
        return hashlib.sha256(b"check" + root).digest()
