"""ECDSA over P-256, P-384 and P-521 (FIPS 186-5). Signatures are DER SEQUENCE {r, s}."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature as _Wrong
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from secops.crypto import der, hashes
from secops.crypto.asymmetric import read_private, read_public, write_private, write_public
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.crypto.options import SignatureOptions

CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "ecdsa-p256": ec.SECP256R1(),
    "ecdsa-p384": ec.SECP384R1(),
    "ecdsa-p521": ec.SECP521R1(),
}
ORDERS: Final = {
    "ecdsa-p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ecdsa-p384": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF"
        "581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
    "ecdsa-p521": int(
        "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA"
        "51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
}


class PublicKey:
    """An ECDSA public key on the curve of ``algorithm``."""

    def __init__(self, algorithm: str, spki: bytes) -> None:
        """Read ``spki``; raise ``InvalidKey`` unless it is on that curve."""
        self._key: ec.EllipticCurvePublicKey = read_public(spki, ec.EllipticCurvePublicKey)
        self._order = ORDERS[algorithm]
        if self._key.curve.name != CURVES[algorithm].name:
            msg = f"not a key for {algorithm}"
            raise InvalidKey(msg)
        self.der = write_public(self._key)

    def verify(self, signature: bytes, message: bytes, options: SignatureOptions) -> None:
        """Return if ``signature`` is of ``message``; raise ``InvalidSignature``."""
        try:
            der.read_signature(signature, self._order)
            self._key.verify(signature, *_digest_and_scheme(message, options))
        except (_Wrong, MalformedEncoding) as error:
            raise InvalidSignature from error


class PrivateKey:
    """An ECDSA private key on the curve of ``algorithm``."""

    def __init__(self, algorithm: str, pkcs8: bytes) -> None:
        """Read ``pkcs8``; raise ``InvalidKey`` unless it is on that curve."""
        self._key: ec.EllipticCurvePrivateKey = read_private(pkcs8, ec.EllipticCurvePrivateKey)
        self.der = pkcs8
        self.public_key = PublicKey(algorithm, write_public(self._key.public_key()))

    def sign(self, message: bytes, options: SignatureOptions) -> bytes:
        """Return the DER signature of ``message``."""
        return self._key.sign(*_digest_and_scheme(message, options))


def generate(algorithm: str) -> bytes:
    """Return a new private key as PKCS#8."""
    return write_private(ec.generate_private_key(CURVES[algorithm]))


_PREHASHED: Final = {name: ec.ECDSA(Prehashed(hashes.algorithm(name))) for name in hashes.NAMES}


def _digest_and_scheme(message: bytes, options: SignatureOptions) -> tuple[bytes, ec.ECDSA]:
    """Hash here: hashlib takes a fifth of what ``cryptography`` takes for a short message."""
    name = options.hash_name
    if not options.prehashed:
        return hashes.digest(name, message), _PREHASHED[name]
    hashes.check_digest(name, message)
    return message, _PREHASHED[name]


def public_from_point(algorithm: str, point: bytes) -> bytes:
    """Return the SPKI of 04 ‖ x ‖ y; raise ``InvalidKey`` unless it is on the curve."""
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[algorithm], point)
    except ValueError as error:
        msg = f"not a point for {algorithm}"
        raise InvalidKey(msg) from error
    return write_public(key)


def private_scalar(algorithm: str, pkcs8: bytes) -> bytes:
    """Return d, as long as the curve's field, for a token that takes keys by value."""
    key: ec.EllipticCurvePrivateKey = read_private(pkcs8, ec.EllipticCurvePrivateKey)
    size = (CURVES[algorithm].key_size + 7) // 8
    return key.private_numbers().private_value.to_bytes(size, "big")
