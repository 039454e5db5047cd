"""Software custody: the root key lives in this process's memory while it is unlocked.

Its envelope is encrypted under a key that argon2id derives from a passphrase (RFC 9106), or
that HKDF derives from 32 random bytes which were split into shares; then it is of version 2
and holds their plan beside, authenticated. Two keys come from the root by HKDF: one wraps, one
makes tags. The memory is overwritten at ``lock``; Python may have copied it before: best effort.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from argon2.low_level import Type, hash_secret_raw

from kms.errors.keys import MaterialTampered, PoolLocked, WrongPassphrase
from kms.models.keys import CryptoProfile
from secops.crypto import ciphers, hashes
from secops.crypto.engines import require_engine
from secops.crypto.errors import DecryptionFailed
from secops.kernel.canonical import canonical_record
from secops.kernel.ids import Randomness

_VERSION: Final = 1
_SHARED_VERSION: Final = 2
_ROOT_LENGTH: Final = 32
_SALT_LENGTH: Final = 16
_MAX_MEMORY_KIB: Final = 1 << 20
_MAX_TIME: Final = 16
_HANDOVER: Final = b"kms handover v1"
_SHARED: Final = b"kms shared envelope v1"


@dataclass(frozen=True, slots=True)
class Stretching:
    """argon2id's cost: passes, memory in KiB, lanes (RFC 9106 §4, second choice)."""

    time: int = 3
    memory: int = 65_536
    parallelism: int = 4


@dataclass(frozen=True, slots=True)
class _Suite:
    """The algorithms of a profile."""

    cipher: str
    engine: str
    hash_name: str


_SUITES: Final[dict[CryptoProfile, _Suite]] = {
    "intl": _Suite("aes256-gcm", "aes-gcm", "sha256"),
    "gm": _Suite("sm4-gcm", "sm4-gcm", "sm3"),
}


class SoftwareCustody:
    """The root key in memory. Safe in any number of threads."""

    name: Final = "software"

    def __init__(
        self,
        profile: CryptoProfile,
        randomness: Randomness,
        stretching: Stretching | None = None,
    ) -> None:
        self._profile = profile
        self._randomness = randomness
        self._stretching = stretching or Stretching()
        self._root: bytearray | None = None
        self._wrapping: bytearray | None = None
        self._tagging: bytearray | None = None
        self._unlocked_profile = profile

    @property
    def is_unlocked(self) -> bool:
        """Tell whether the root key is in memory."""
        return self._wrapping is not None

    def create_root(self, passphrase: bytes) -> bytes:
        """Make a root key, unlock it, and return its envelope."""
        self._take(self._randomness.bytes(_ROOT_LENGTH), self._profile)
        return self.reseal(passphrase)

    def reseal(self, secret: bytes, plan: Mapping[str, Any] | None = None) -> bytes:
        """Return a new envelope of the same root key, opened by ``secret``.

        With ``plan`` the secret is 32 random bytes that were split into the plan's shares.
        """
        root, suite = _held(self._root), self._suite()
        header: dict[str, Any] = {"profile": self._unlocked_profile}
        if plan is None:
            header |= {
                "v": _VERSION,
                "kdf": "argon2id",
                "salt": base64.b64encode(self._randomness.bytes(_SALT_LENGTH)).decode(),
                "time": self._stretching.time,
                "memory": self._stretching.memory,
                "parallelism": self._stretching.parallelism,
            }
        else:
            header |= {"v": _SHARED_VERSION, "kdf": "hkdf", "plan": plan}
        key = _envelope_key(header, secret, suite)
        nonce = self._randomness.bytes(ciphers.NONCE)
        sealed = ciphers.seal(suite.cipher, key, nonce, root, aad=canonical_record(header))
        return orjson.dumps({**header, "root": base64.b64encode(sealed).decode()})

    def plan_of(self, envelope: bytes) -> Mapping[str, Any] | None:
        """Return the plan of shares in ``envelope``, None where a passphrase opens it."""
        header, _, _ = _parse(envelope)
        plan: Mapping[str, Any] | None = header.get("plan")
        return plan

    def unlock(self, envelope: bytes, secret: bytes) -> None:
        """Take the root key out of ``envelope``; raise ``WrongPassphrase``."""
        header, sealed, profile = _parse(envelope)
        suite = _SUITES[profile]
        key = _envelope_key(header, secret, suite)
        try:
            root = ciphers.unseal(suite.cipher, key, sealed, aad=canonical_record(header))
        except DecryptionFailed as error:
            raise WrongPassphrase from error
        self._take(root, profile)

    def lock(self) -> None:
        """Forget the root key."""
        for held in (self._wrapping, self._tagging, self._root):
            if held is not None:
                held[:] = bytes(len(held))
        self._wrapping = self._tagging = self._root = None

    def hand_over(self, key: bytes) -> bytes:
        """Return the root key encrypted under ``key``, for a sibling process."""
        root = _held(self._root)
        nonce = self._randomness.bytes(ciphers.NONCE)
        label = self._unlocked_profile.encode()
        suite = _SUITES[self._unlocked_profile]
        sealed = ciphers.seal(suite.cipher, _handover_key(key, suite), nonce, root, aad=label)
        return label + b":" + sealed

    def take_over(self, handover: bytes, key: bytes) -> None:
        """Unlock by what a sibling process handed over; raise ``MaterialTampered``."""
        label, _, sealed = handover.partition(b":")
        profile: CryptoProfile = "gm" if label == b"gm" else "intl"
        suite = _SUITES[profile]
        try:
            root = ciphers.unseal(suite.cipher, _handover_key(key, suite), sealed, aad=label)
        except DecryptionFailed as error:
            msg = "the handover is not of this service"
            raise MaterialTampered(msg) from error
        self._take(root, profile)

    def wrap(self, material: bytes, context: bytes) -> bytes:
        """Return ``material`` encrypted, bound to ``context``."""
        nonce = self._randomness.bytes(ciphers.NONCE)
        key = _held(self._wrapping)
        return ciphers.seal(self._suite().cipher, key, nonce, material, aad=context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Return the material; raise ``MaterialTampered`` unless it is untouched."""
        key = _held(self._wrapping)
        try:
            return ciphers.unseal(self._suite().cipher, key, wrapped, aad=context)
        except DecryptionFailed as error:
            msg = "a wrapped key was changed or belongs to another record"
            raise MaterialTampered(msg) from error

    def authenticate(self, record: bytes) -> bytes:
        """Return the record's HMAC under the root."""
        return hashes.keyed(self._suite().hash_name, _held(self._tagging), record)

    def _suite(self) -> _Suite:
        suite = _SUITES[self._unlocked_profile]
        require_engine(suite.engine)
        require_engine("hmac")
        return suite

    def _take(self, root: bytes, profile: CryptoProfile) -> None:
        suite = _SUITES[profile]
        require_engine(suite.engine)
        require_engine("hmac")
        length = ciphers.KEY_LENGTHS[suite.cipher]
        wrapping = hashes.derive(suite.hash_name, root, length=length, info=b"kms wrapping v1")
        tagging = hashes.derive(suite.hash_name, root, length=32, info=b"kms tags v1")
        self._unlocked_profile = profile
        self._root = bytearray(root)
        self._tagging = bytearray(tagging)
        self._wrapping = bytearray(wrapping)


def _handover_key(key: bytes, suite: _Suite) -> bytes:
    length = ciphers.KEY_LENGTHS[suite.cipher]
    return hashes.derive(suite.hash_name, key, length=length, info=_HANDOVER)


def _held(key: bytearray | None) -> bytes:
    if key is None:
        raise PoolLocked
    return bytes(key)


def _parse(envelope: bytes) -> tuple[dict[str, Any], bytes, CryptoProfile]:
    """Read an envelope; costs are bounded, for whoever can write the database can write this."""
    try:
        header = orjson.loads(envelope)
        sealed = base64.b64decode(header.pop("root"), validate=True)
        sound = header["profile"] in _SUITES and (_is_stretched(header) or _is_shared(header))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = "the root key's envelope is malformed"
        raise MaterialTampered(msg) from error
    if not sound:
        msg = "the root key's envelope is malformed"
        raise MaterialTampered(msg)
    return header, sealed, header["profile"]


def _is_stretched(header: dict[str, Any]) -> bool:
    return bool(
        header["v"] == _VERSION
        and header["kdf"] == "argon2id"
        and 1 <= header["time"] <= _MAX_TIME
        and 1 <= header["memory"] <= _MAX_MEMORY_KIB
        and 1 <= header["parallelism"] <= 16  # noqa: PLR2004 - lanes
    )


def _is_shared(header: dict[str, Any]) -> bool:
    return header["v"] == _SHARED_VERSION and header["kdf"] == "hkdf" and bool(header["plan"])


def _envelope_key(header: dict[str, Any], secret: bytes, suite: _Suite) -> bytes:
    length = ciphers.KEY_LENGTHS[suite.cipher]
    if header["kdf"] == "hkdf":
        return hashes.derive(suite.hash_name, secret, length=length, info=_SHARED)
    stretched = hash_secret_raw(
        secret,
        base64.b64decode(header["salt"]),
        time_cost=header["time"],
        memory_cost=header["memory"],
        parallelism=header["parallelism"],
        hash_len=_ROOT_LENGTH,
        type=Type.ID,
    )
    return hashes.derive(suite.hash_name, stretched, length=length, info=b"kms envelope v1")
