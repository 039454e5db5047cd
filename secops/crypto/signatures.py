"""Signing keys of every algorithm behind two small shapes.

``private_key(algorithm, pkcs8)`` and ``public_key(algorithm, spki)`` return keys that are
safe in any number of threads. ECDSA and SM2 signatures are DER; ``verify`` raises.
"""

from __future__ import annotations

from typing import Final, Protocol

from secops.crypto import der, ecdsa, ed25519, ml_dsa, rsa, sm2
from secops.crypto.engines import refuse_engine, require_engine
from secops.crypto.errors import InvalidKey, InvalidSignature
from secops.crypto.options import DEFAULT, SignatureOptions

ALGORITHMS: Final = ("sm2", *ecdsa.CURVES, "ed25519", *rsa.SIZES, *ml_dsa.SIZES)

ENGINES: Final = {
    "sm2": "sm2",
    **dict.fromkeys(ecdsa.CURVES, "ecdsa"),
    "ed25519": "ed25519",
    **dict.fromkeys(rsa.SIZES, "rsa"),
    **dict.fromkeys(ml_dsa.SIZES, "ml-dsa"),
}
"""The engine behind each algorithm, as ``engines.require_engine`` knows it."""
_TRIAL: Final = b"pairwise consistency"
_ORDERS: Final = {"sm2": sm2.ORDER, **ecdsa.ORDERS}


class PublicKey(Protocol):
    """Checks signatures."""

    @property
    def der(self) -> bytes:
        """SPKI in DER."""
        ...

    def verify(self, signature: bytes, message: bytes, options: SignatureOptions, /) -> None:
        """Return if ``signature`` is of ``message``; raise ``InvalidSignature``."""
        ...


class PrivateKey(Protocol):
    """Makes signatures."""

    @property
    def der(self) -> bytes:
        """PKCS#8 in DER, not encrypted."""
        ...

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, message: bytes, options: SignatureOptions, /) -> bytes:
        """Return the signature of ``message``."""
        ...


class _Sm2Public:
    """An SM2 public key that reads user id and prehashing from the options."""

    def __init__(self, key: sm2.PublicKey) -> None:
        self._key = key

    @property
    def der(self) -> bytes:
        return self._key.der

    def verify(self, signature: bytes, message: bytes, options: SignatureOptions) -> None:
        if options.prehashed:
            self._key.verify_digest(signature, message)
        else:
            self._key.verify(signature, message, options.user_id)


class _Sm2Private:
    """An SM2 private key that reads user id and prehashing from the options."""

    def __init__(self, key: sm2.PrivateKey) -> None:
        self._key = key
        self.public_key = _Sm2Public(key.public_key)

    @property
    def der(self) -> bytes:
        return self._key.der

    def sign(self, message: bytes, options: SignatureOptions) -> bytes:
        if options.prehashed:
            return self._key.sign_digest(message)
        return self._key.sign(message, options.user_id)


def generate(algorithm: str) -> bytes:
    """Return a new private key of ``algorithm`` as PKCS#8, tried once as a pair.

    A pair that does not verify what it signed refuses the engine (FIPS 140-3 §10.3.5).
    """
    engine = _engine(algorithm)
    require_engine(engine)
    made = _generated(engine, algorithm)
    try:
        key = private_key(algorithm, made)
        # by a public key of its own, as everybody else will hold it
        public_key(algorithm, key.public_key.der).verify(key.sign(_TRIAL, DEFAULT), _TRIAL, DEFAULT)
    except (InvalidKey, InvalidSignature):
        refuse_engine(engine, f"a new pair of {algorithm} does not fit together")
    return made


def _generated(engine: str, algorithm: str) -> bytes:
    match engine:
        case "sm2":
            return sm2.PrivateKey.generate().der
        case "ed25519":
            return ed25519.generate()
        case "rsa":
            return rsa.generate(algorithm)
        case "ml-dsa":
            return ml_dsa.generate(algorithm)
    return ecdsa.generate(algorithm)


def private_key(algorithm: str, pkcs8: bytes) -> PrivateKey:
    """Return the key in ``pkcs8``; raise ``InvalidKey`` if it is of another algorithm."""
    engine = _engine(algorithm)
    require_engine(engine)
    match engine:
        case "sm2":
            return _Sm2Private(sm2.PrivateKey(pkcs8))
        case "ed25519":
            return ed25519.PrivateKey(pkcs8)
        case "rsa":
            return rsa.PrivateKey(pkcs8)
        case "ml-dsa":
            return ml_dsa.PrivateKey(algorithm, pkcs8)
    return ecdsa.PrivateKey(algorithm, pkcs8)


def public_key(algorithm: str, spki: bytes) -> PublicKey:
    """Return the key in ``spki``; raise ``InvalidKey`` if it is of another algorithm."""
    engine = _engine(algorithm)
    require_engine(engine)
    match engine:
        case "sm2":
            return _Sm2Public(sm2.PublicKey(spki))
        case "ed25519":
            return ed25519.PublicKey(spki)
        case "rsa":
            return rsa.PublicKey(spki)
        case "ml-dsa":
            return ml_dsa.PublicKey(algorithm, spki)
    return ecdsa.PublicKey(algorithm, spki)


def to_raw(algorithm: str, signature: bytes) -> bytes:
    """Return a DER signature as r ‖ s; other algorithms' signatures stay as they are."""
    order = _ORDERS.get(algorithm)
    return signature if order is None else der.signature_to_raw(signature, order)


def from_raw(algorithm: str, signature: bytes) -> bytes:
    """Return r ‖ s as DER; other algorithms' signatures stay as they are."""
    order = _ORDERS.get(algorithm)
    return signature if order is None else der.raw_to_signature(signature, order)


def _engine(algorithm: str) -> str:
    engine = ENGINES.get(algorithm)
    if engine is None:
        msg = f"the algorithm {algorithm[:32]!r} is not offered"
        raise InvalidKey(msg)
    return engine
