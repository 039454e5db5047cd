"""What a Transit request asks for, read from JSON into values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from kms.core.transit.texts import Marshaling, decode_base64
from kms.models.keys import Key
from secops.crypto import ecdsa, rsa
from secops.crypto.options import AUTO_SALT, SM2_DEFAULT_USER_ID, Padding, SignatureOptions
from secops.crypto.sm2 import CiphertextOrder
from secops.kernel.errors import Invalid

_SHA2: Final = {f"sha2-{bits}": f"sha{bits}" for bits in (224, 256, 384, 512)}
_SHA3: Final = {f"sha3-{bits}": f"sha3_{bits}" for bits in (224, 256, 384, 512)}
_HASHES: Final = {**_SHA2, **_SHA3, "sm3": "sm3"}
_BY_SHA2: Final = ("sha256", frozenset(_SHA2.values()))
_BY_KEY_TYPE: Final = {
    "sm2": ("sm3", frozenset({"sm3"})),
    **dict.fromkeys((*ecdsa.CURVES, *rsa.SIZES), _BY_SHA2),
}
_HASHING_INSIDE: Final = ("sha256", frozenset(_HASHES.values()))
"""Ed25519 and ML-DSA hash inside: as in Vault, a hash named for them is ignored."""
_HASH_AND_SIGN: Final = frozenset(ecdsa.CURVES)
DEFAULT_OF_TRANSIT: Final = SignatureOptions(salt_length=AUTO_SALT)
"""What a request without wishes asks of a key that signs SHA-256 digests."""
_BY_DIGEST: Final = SignatureOptions(salt_length=AUTO_SALT, prehashed=True)
_MARSHALINGS: Final = frozenset({"asn1", "jws", "raw"})
_PADDINGS: Final = frozenset({"pss", "pkcs1v15"})
_MAX_USER_ID: Final = 8_191
MAX_BATCH: Final = 1_000
_WITHOUT_WISHES: Final = frozenset({"input", "signature", "reference"})


@dataclass(frozen=True, slots=True)
class SignatureRequest:
    """How to sign, or how to read a signature. ``key_version`` 0 is the latest.

    ``digest_options`` sign the input's SHA-256 to the same effect, where the leaf needs that
    digest anyway.
    """

    options: SignatureOptions
    marshaling: Marshaling
    key_version: int
    digest_options: SignatureOptions | None = None


_PLAIN_REQUESTS: Final[dict[str, SignatureRequest]] = {}
"""What requests without wishes ask of each type: most ask nothing more, and it is the same."""


def signature_request(
    key: Key, body: Mapping[str, Any], path_hash: str | None = None
) -> SignatureRequest:
    """Read hash, prehashed, padding, salt, marshaling, SM2 user id and version."""
    if path_hash is None and body.keys() <= _WITHOUT_WISHES:
        found = _PLAIN_REQUESTS.get(key.type)
        if found is None:
            found = _PLAIN_REQUESTS[key.type] = _read_request(key, {}, None)
        return found
    return _read_request(key, body, path_hash)


def _read_request(key: Key, body: Mapping[str, Any], path_hash: str | None) -> SignatureRequest:
    default, allowed = _BY_KEY_TYPE.get(key.type, _HASHING_INSIDE)
    named = path_hash or body.get("hash_algorithm") or body.get("algorithm")
    hash_name = default if named is None else hash_named(named)
    if hash_name not in allowed:
        msg = f"a key of type {key.type} can't be used with {named}"
        raise Invalid(msg)
    prehashed = _flag(body, "prehashed")
    if prehashed and key.type.startswith(("ed25519", "ml-dsa-")):
        msg = f"a key of type {key.type} signs messages, not digests"
        raise Invalid(msg)
    options = SignatureOptions(
        hash_name=hash_name,
        prehashed=prehashed,
        padding=cast("Padding", _choice(body, "signature_algorithm", _PADDINGS, "pss")),
        salt_length=_salt_length(body.get("salt_length")),
        user_id=_user_id(key, body, prehashed=prehashed),
    )
    marshaling = cast("Marshaling", _choice(body, "marshaling_algorithm", _MARSHALINGS, "asn1"))
    quick = _BY_DIGEST if options == DEFAULT_OF_TRANSIT and key.type in _HASH_AND_SIGN else None
    return SignatureRequest(options, marshaling, version_wanted(body), quick)


def hash_named(name: object) -> str:
    """Return our name of Vault's hash ``name`` (sha2-256 …, sm3)."""
    found = _HASHES.get(name) if isinstance(name, str) else None
    if found is None:
        msg = f"the hash is one of {', '.join(_HASHES)}"
        raise Invalid(msg)
    return found


def hmac_hash(body: Mapping[str, Any], path_hash: str | None = None) -> str:
    """Return the hash of an HMAC: the path's, the body's, or SHA-256."""
    return hash_named(path_hash or body.get("algorithm") or "sha2-256")


def version_wanted(body: Mapping[str, Any]) -> int:
    """Return ``key_version``, 0 (the latest) where none is named."""
    value = body.get("key_version") or 0
    if type(value) is not int or value < 0:
        msg = "key_version is a number"
        raise Invalid(msg)
    return value


def batch_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """Return ``batch_input``, None where the request is a single one."""
    batch = body.get("batch_input")
    if batch is None:
        return None
    if not isinstance(batch, list) or not 0 < len(batch) <= MAX_BATCH:
        msg = f"batch_input is a list of 1 to {MAX_BATCH} items"
        raise Invalid(msg)
    if not all(isinstance(item, dict) for item in batch):
        msg = "an item of batch_input is an object"
        raise Invalid(msg)
    return batch


def associated_data(body: Mapping[str, Any]) -> bytes:
    """Return ``associated_data`` decoded, empty where there is none."""
    text = body.get("associated_data")
    return b"" if not text else decode_base64(text, "associated_data")


def derivation_context(key: Key, body: Mapping[str, Any]) -> bytes | None:
    """Return ``context`` decoded, None for a key that is not derived.

    Raises for what we don't offer, rather than silently ignore it.
    """
    if body.get("nonce"):
        msg = "nonce is not supported: it is drawn, or made of the plaintext"
        raise Invalid(msg)
    text = body.get("context")
    if not key.derived:
        if text:
            msg = f"the key {key.name} is not derived: it takes no context"
            raise Invalid(msg)
        return None
    return b"" if not text else decode_base64(text, "context")


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name) or False
    if not isinstance(value, bool):
        msg = f"{name} is true or false"
        raise Invalid(msg)
    return value


def _choice(body: Mapping[str, Any], name: str, allowed: frozenset[str], default: str) -> str:
    value = body.get(name) or default
    if not isinstance(value, str) or value not in allowed:
        msg = f"{name} is one of {', '.join(sorted(allowed))}"
        raise Invalid(msg)
    return value


def _salt_length(value: object) -> int | None:
    if value in (None, "", "auto", 0, "0"):
        return AUTO_SALT
    if value in ("hash", -1, "-1"):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:4])
    if type(value) is not int or not 0 <= value <= 512:  # noqa: PLR2004 - bytes of a key
        msg = 'salt_length is "auto", "hash" or a number of bytes'
        raise Invalid(msg)
    return value


def sm2_ciphertext_order(key: Key, fields: Mapping[str, Any]) -> CiphertextOrder | None:
    """Return the order of a raw SM2 ciphertext, None for DER; it is never guessed."""
    value = fields.get("sm2_ciphertext", "der")
    if value != "der" and key.type != "sm2":
        msg = "sm2_ciphertext is for SM2 keys"
        raise Invalid(msg)
    if value in ("c1c3c2", "c1c2c3"):
        order: CiphertextOrder = value
        return order
    if value != "der":
        msg = "sm2_ciphertext is der, c1c3c2 or c1c2c3"
        raise Invalid(msg)
    return None


def _user_id(key: Key, body: Mapping[str, Any], *, prehashed: bool) -> bytes:
    value = body.get("sm2_user_id")
    if value is None:
        return SM2_DEFAULT_USER_ID
    if key.type != "sm2" or prehashed:
        msg = "sm2_user_id is for SM2 keys that sign messages (ZA is inside a digest already)"
        raise Invalid(msg)
    if not isinstance(value, str) or len(value.encode()) > _MAX_USER_ID:
        msg = f"sm2_user_id is text of at most {_MAX_USER_ID} bytes"
        raise Invalid(msg)
    return value.encode()
