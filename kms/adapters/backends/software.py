"""Keys in software: material wrapped under the root key, opened in this process's memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kms.errors.backends import BackendUnsupported
from kms.models.backends import SOFTWARE, BackendOptions, HeldObject, MadeObject, NewObject
from kms.ports.keys import Custody
from secops.crypto import ciphers, signatures
from secops.crypto.engines import require_engine
from secops.crypto.options import DEFAULT
from secops.kernel.ids import Randomness

_HMAC: Final = "hmac"
_HMAC_LENGTH: Final = 32
_ENGINES: Final = {"sm4-gcm": "sm4-gcm", "chacha20-poly1305": "chacha20-poly1305", _HMAC: _HMAC}
_CHECKED: Final = b"kms health check"


@dataclass(frozen=True, slots=True)
class _Cipher:
    algorithm: str
    material: bytes
    randomness: Randomness

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        nonce = self.randomness.bytes(ciphers.NONCE)
        return ciphers.seal(self.algorithm, self.material, nonce, plaintext, aad=aad)

    def unseal(self, sealed: bytes, aad: bytes) -> bytes:
        return ciphers.unseal(self.algorithm, self.material, sealed, aad=aad)


class SoftwareBackend:
    """Makes material, wraps it by the unlocked custody, and works with it by our engines."""

    def __init__(
        self,
        custody: Callable[[], Custody],
        randomness: Randomness,
        options: BackendOptions | None = None,
    ) -> None:
        self.options = options or BackendOptions(SOFTWARE, "software")
        self._custody = custody
        self._randomness = randomness
        self.algorithms = frozenset((*signatures.ALGORITHMS, *ciphers.KEY_LENGTHS, _HMAC))

    def generate(self, wish: NewObject, material: bytes | None = None) -> MadeObject:
        """Return fresh (or the given) material, wrapped and bound to ``wish.context``."""
        if wish.algorithm not in self.algorithms:
            msg = f"software makes no {wish.algorithm}"
            raise BackendUnsupported(msg)
        custody = self._custody()
        public = b""
        if wish.algorithm in signatures.ALGORITHMS:
            material = material or signatures.generate(wish.algorithm)
            public = signatures.private_key(wish.algorithm, material).public_key.der
        else:
            require_engine(_ENGINES.get(wish.algorithm, "aes-gcm"))
            length = ciphers.KEY_LENGTHS.get(wish.algorithm, _HMAC_LENGTH)
            material = material or self._randomness.bytes(length)
        return MadeObject(public, custody.wrap(material, wish.context))

    def private_key(self, held: HeldObject) -> signatures.PrivateKey:
        """Return the opened key; raise ``MaterialTampered``."""
        return signatures.private_key(held.algorithm, self._open(held))

    def cipher(self, held: HeldObject) -> _Cipher:
        """Return what encrypts with the opened key; raise ``MaterialTampered``."""
        return _Cipher(held.algorithm, self._open(held), self._randomness)

    def erase(self, label: str) -> bool:
        """Return False: what is wrapped lies in the database and goes with its row."""
        del label
        return False

    def slot_key(self, slot: int) -> bytes:
        """Raise ``BackendUnsupported``: there are no indices here."""
        msg = f"there is no index {slot} in software"
        raise BackendUnsupported(msg)

    def check(self) -> None:
        """Sign and verify by a fresh pair; the known answers are tested at start."""
        key = signatures.private_key("ecdsa-p256", signatures.generate("ecdsa-p256"))
        key.public_key.verify(key.sign(_CHECKED, DEFAULT), _CHECKED, DEFAULT)

    def close(self) -> None:
        """Nothing is held open."""

    def _open(self, held: HeldObject) -> bytes:
        return self._custody().unwrap(held.reference, held.context)
