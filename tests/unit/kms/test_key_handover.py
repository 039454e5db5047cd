"""A key of the pool is handed over under another: whoever has that one opens it alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kms.core.x690 import read_der, values
from kms.errors.keys import PoolLocked
from kms.service.system_keys import PoolSealingKeys
from secops.crypto.ciphers import sm4_blocks
from secops.crypto.errors import DecryptionFailed, InvalidKey
from secops.crypto.sm2 import PrivateKey
from tests.fakes.key_pool import WHOLE, open_key_pool


def test_a_pool_key_opens_with_the_receivers_key_alone(tmp_path: Path) -> None:
    receiver, other = PrivateKey.generate(), PrivateKey.generate()
    with open_key_pool(tmp_path / "home") as pool:
        keys = PoolSealingKeys(pool.services.system_keys)
        spki = keys.ensure_key("encryption-1")
        envelopes = [keys.hand_over("encryption-1", receiver.public_key.der) for _ in range(2)]
        with pytest.raises(InvalidKey):
            keys.hand_over("encryption-1", b"\x30\x00")
        pool.services.pool.lock(WHOLE)
        with pytest.raises(PoolLocked):
            keys.hand_over("encryption-1", receiver.public_key.der)
    scalars = []
    for envelope in envelopes:
        _, wrapped, point, secret = read_der(envelope).sequence("SM2EnvelopedKey", 4)
        once = receiver.decrypt(wrapped.raw)
        cipher = Cipher(algorithms.SM4(once), modes.ECB()).decryptor()  # noqa: S305 - the standard's
        scalars.append(cipher.update(values.bits(secret, "key")) + cipher.finalize())
        opened = PrivateKey.from_scalar(scalars[-1], values.bits(point, "point"))
        assert opened.public_key.der == spki
        with pytest.raises(DecryptionFailed):
            other.decrypt(wrapped.raw)
    assert scalars[0] == scalars[1]
    assert envelopes[0] != envelopes[1]


@pytest.mark.parametrize(("key", "blocks"), [(bytes(15), bytes(16)), (bytes(16), bytes(17))])
def test_blocks_are_whole_and_the_key_has_sixteen_bytes(key: bytes, blocks: bytes) -> None:
    with pytest.raises(InvalidKey):
        sm4_blocks(key, blocks)
