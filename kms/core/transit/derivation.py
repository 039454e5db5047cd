"""Keys derived for a context, and nonces of convergent encryption.

As Vault's third convergent version: HKDF (RFC 5869) of the key's material with the context as
info gives the cipher's key and the key of the nonces; a nonce is the start of HMAC of the
plaintext, so that the same plaintext under the same context is the same ciphertext. With
associated data the nonce depends on that too, under a key of its own: otherwise one nonce
would serve two sets of associated data, which lets GCM's tags be forged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.models.keys import Key
from secops.crypto import ciphers, hashes
from secops.kernel.errors import Invalid

_MAC_LENGTH: Final = 32
_LENGTH_OF_LENGTH: Final = 8
MAX_CONTEXT: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class DerivedKeys:
    """What one context's ciphertexts are made with."""

    cipher_key: bytes
    nonce_key: bytes
    bound_nonce_key: bytes
    hash_name: str

    def nonce(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return the nonce of ``plaintext`` with ``aad``; the same for the same two."""
        if not aad:
            return hashes.keyed(self.hash_name, self.nonce_key, plaintext)[: ciphers.NONCE]
        bound = len(aad).to_bytes(_LENGTH_OF_LENGTH, "big") + aad + plaintext
        return hashes.keyed(self.hash_name, self.bound_nonce_key, bound)[: ciphers.NONCE]


def derive_keys(key: Key, material: bytes, context: bytes) -> DerivedKeys:
    """Return the keys of ``context``; raise ``Invalid`` where a derived key gets none."""
    if not 0 < len(context) <= MAX_CONTEXT:
        msg = "missing 'context' for key derivation; the key was created using a derived key"
        raise Invalid(msg)
    algorithm = key.kind.algorithm
    hash_name = "sm3" if algorithm.startswith("sm4") else "sha256"
    size = ciphers.KEY_LENGTHS[algorithm]
    length = size + 2 * _MAC_LENGTH
    drawn = hashes.derive(hash_name, material, length=length, info=context)
    middle = size + _MAC_LENGTH
    return DerivedKeys(drawn[:size], drawn[size:middle], drawn[middle:], hash_name)
