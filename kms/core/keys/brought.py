"""Material that was made elsewhere: whether it is a key of the type it is brought as."""

from __future__ import annotations

from typing import Final

from kms.models.keys import KeyType
from secops.crypto import ciphers, rsa, signatures
from secops.crypto.errors import InvalidKey
from secops.kernel.errors import Invalid

_MIN_HMAC: Final = 32
_MAX_HMAC: Final = 512


def check_material(kind: KeyType, material: bytes) -> None:
    """Return if ``material`` is a key of ``kind``; raise ``Invalid`` otherwise.

    PKCS#8 for keys that sign, plain bytes for others.
    """
    algorithm = kind.algorithm
    if not kind.signs:
        length = ciphers.KEY_LENGTHS.get(algorithm)
        fits = len(material) == length or (
            length is None and _MIN_HMAC <= len(material) <= _MAX_HMAC
        )
        if not fits:
            msg = f"a key of type {kind.name} has another length"
            raise Invalid(msg)
        return
    try:
        key = signatures.private_key(algorithm, material)
    except InvalidKey as error:
        msg = f"the material is no key of type {kind.name}: {error.detail}"
        raise Invalid(msg) from error
    if (
        algorithm in rsa.SIZES
        and rsa.PublicKey(key.public_key.der).size * 8 != rsa.SIZES[algorithm]
    ):
        msg = f"a key of type {kind.name} has another size"
        raise Invalid(msg)
