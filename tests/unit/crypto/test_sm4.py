"""SM4 in every mode: official vectors, openssl, and refusal of what was changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secops.crypto import ciphers, sm4
from secops.crypto.errors import DecryptionFailed, InvalidKey

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gbt32907" / "vectors.json").read_text()
)
_hex = bytes.fromhex
KEY = _hex(VECTORS["key"])
IV = _hex(VECTORS["cbc"]["iv"])
NONCE, AAD = _hex(VECTORS["nonce"]), _hex(VECTORS["aad"])


def test_one_block_is_that_of_the_standard() -> None:
    assert ciphers.sm4_blocks(KEY, KEY).hex() == VECTORS["block"]


@pytest.mark.deep
def test_a_million_blocks_are_that_of_the_standard() -> None:
    from cryptography.hazmat.primitives.ciphers import (  # noqa: PLC0415 - only here
        Cipher,
        algorithms,
        modes,
    )

    encryptor = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor()  # noqa: S305 - the vector's
    block = KEY
    for _ in range(1_000_000):
        block = encryptor.update(block)
    assert block.hex() == VECTORS["million"]


def test_cbc_and_ctr_are_those_of_the_drafts_examples() -> None:
    cbc, ctr = VECTORS["cbc"], VECTORS["ctr"]
    made = sm4.encrypt_cbc(KEY, IV, _hex(cbc["plaintext"]))
    assert made[: len(_hex(cbc["ciphertext"]))].hex() == cbc["ciphertext"]
    assert sm4.decrypt_cbc(KEY, IV, made).hex() == cbc["plaintext"]
    assert sm4.apply_ctr(KEY, IV, _hex(ctr["plaintext"])).hex() == ctr["ciphertext"]


@pytest.mark.parametrize("mode", ["gcm", "ccm"])
def test_gcm_and_ccm_are_those_of_rfc_8998(mode: str) -> None:
    sealed = NONCE + _hex(VECTORS[mode])
    plaintext = _hex(VECTORS["plaintext"])
    assert ciphers.seal(f"sm4-{mode}", KEY, NONCE, plaintext, aad=AAD) == sealed
    assert ciphers.unseal(f"sm4-{mode}", KEY, sealed, aad=AAD) == plaintext


@pytest.mark.usefixtures("openssl_command")
@pytest.mark.parametrize("mode", ["cbc", "ctr"])
def test_openssl_reads_what_we_write(mode: str) -> None:
    plaintext = "公文".encode() * 20
    made = (
        sm4.encrypt_cbc(KEY, IV, plaintext) if mode == "cbc" else sm4.apply_ctr(KEY, IV, plaintext)
    )
    command = ["openssl", "enc", "-d", f"-sm4-{mode}", "-K", KEY.hex(), "-iv", IV.hex()]
    opened = subprocess.run(command, input=made, capture_output=True, check=True).stdout
    assert opened == plaintext


@given(st.binary(max_size=100), st.binary(max_size=40))
def test_every_mode_gives_back_what_it_took(plaintext: bytes, aad: bytes) -> None:
    assert sm4.decrypt_cbc(KEY, IV, sm4.encrypt_cbc(KEY, IV, plaintext)) == plaintext
    assert sm4.apply_ctr(KEY, IV, sm4.apply_ctr(KEY, IV, plaintext)) == plaintext
    sealed = sm4.seal_ccm(KEY, NONCE, plaintext, aad=aad)
    assert sm4.unseal_ccm(KEY, sealed, aad=aad) == plaintext


def test_long_associated_data_have_their_length_in_six_bytes() -> None:
    aad = bytes(0xFF00)
    sealed = sm4.seal_ccm(KEY, NONCE, b"m", aad=aad)
    assert sm4.unseal_ccm(KEY, sealed, aad=aad) == b"m"
    with pytest.raises(DecryptionFailed):
        sm4.unseal_ccm(KEY, sealed, aad=aad[1:])


def test_ccm_refuses_every_change() -> None:
    sealed = ciphers.seal("sm4-ccm", KEY, NONCE, b"secret", aad=b"row 7")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes((sealed[place] ^ 1,)) + sealed[place + 1 :]
        with pytest.raises(DecryptionFailed):
            ciphers.unseal("sm4-ccm", KEY, changed, aad=b"row 7")
    for bad, aad in ((sealed, b"row 8"), (sealed[:-1], b"row 7"), (b"", b""), (bytes(27), b"")):
        with pytest.raises(DecryptionFailed):
            sm4.unseal_ccm(KEY, bad, aad=aad)


@pytest.mark.parametrize("ciphertext", [b"", bytes(15), bytes(16)])
def test_cbc_refuses_what_can_not_be_padded(ciphertext: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        sm4.decrypt_cbc(KEY, IV, ciphertext)


def test_keys_blocks_and_nonces_have_their_lengths() -> None:
    for attempt in (
        lambda: sm4.encrypt_cbc(KEY[1:], IV, b""),
        lambda: sm4.encrypt_cbc(KEY, IV[1:], b""),
        lambda: sm4.apply_ctr(KEY, IV + b"x", b""),
        lambda: sm4.seal_ccm(KEY, NONCE + b"x", b""),
        lambda: sm4.seal_ccm(KEY, NONCE, bytes(1 << 24)),
    ):
        with pytest.raises(InvalidKey):
            attempt()
