"""Derived keys need a context; convergent ones give the same text for the same plaintext."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kms.core.transit.derivation import MAX_CONTEXT, derive_keys
from kms.models.keys import Key, KeyRequest
from secops.crypto.errors import DecryptionFailed
from secops.kernel.errors import Invalid
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, USER, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService

TYPES = ("aes256-gcm96", "aes128-gcm96", "sm4-gcm96", "chacha20-poly1305")
KEY = Key("key_1", "org", "transit", "k", "aes256-gcm96", 0, derived=True)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path_factory.mktemp("derived") / "home", clock=FakeClock()) as opened:
        for name in TYPES:
            opened.create(f"d-{name}", name, USER, derived=True)
            opened.create(f"c-{name}", name, USER, derived=True, convergent_encryption=True)
        opened.create("plain", "aes256-gcm96", USER, exportable=True)
        yield opened


def seal(pool: KeyPool, name: str, plaintext: bytes, **fields: str) -> str:
    asked = {"plaintext": b64(plaintext), **fields}
    return pool.services.transit.encrypt(USER, name, asked).text


@pytest.mark.parametrize("key_type", TYPES)
def test_a_derived_key_opens_only_with_its_context(pool: KeyPool, key_type: str) -> None:
    name, here, there = f"d-{key_type}", b64(b"tenant-1"), b64(b"tenant-2")
    text = seal(pool, name, b"hello", context=here)
    assert text != seal(pool, name, b"hello", context=here)
    opened = pool.services.transit.decrypt(USER, name, {"ciphertext": text, "context": here})
    assert opened.plaintext == b"hello"
    with pytest.raises(DecryptionFailed):
        pool.services.transit.decrypt(USER, name, {"ciphertext": text, "context": there})
    for context in ("", None):
        with pytest.raises(Invalid, match="context"):
            pool.services.transit.decrypt(USER, name, {"ciphertext": text, "context": context})


@pytest.mark.parametrize("key_type", TYPES)
def test_convergent_encryption_repeats_for_the_same_three_and_for_nothing_else(
    pool: KeyPool, key_type: str
) -> None:
    name, context, other = f"c-{key_type}", b64(b"t1"), b64(b"t2")
    text = seal(pool, name, b"hello", context=context)
    assert text == seal(pool, name, b"hello", context=context)
    for different in (
        seal(pool, name, b"hellp", context=context),
        seal(pool, name, b"hello", context=other),
        seal(pool, name, b"hello", context=context, associated_data=b64(b"a")),
    ):
        assert different != text


def test_no_nonce_serves_two_sets_of_associated_data_or_two_plaintexts(pool: KeyPool) -> None:
    name, context = "c-aes256-gcm96", b64(b"t")
    nonces = []
    for plaintext, aad in ((b"p", b""), (b"p", b"a"), (b"p", b"b"), (b"ap", b""), (b"", b"ap")):
        text = seal(pool, name, plaintext, context=context, associated_data=b64(aad))
        nonces.append(base64.b64decode(text.split(":")[2])[:12])
    # what would be fed to the nonce's HMAC with associated data, given as a plaintext
    mixed = (1).to_bytes(8, "big") + b"a" + b"p"
    text = seal(pool, name, mixed, context=context)
    nonces.append(base64.b64decode(text.split(":")[2])[:12])
    assert len(set(nonces)) == len(nonces)


def test_the_third_convergent_version_of_vault_is_computed_independently() -> None:
    material, context, plaintext = bytes(range(32)), b"tenant", b"hello"
    drawn = HKDF(hashes.SHA256(), 64, None, context).derive(material)
    nonce = hmac.new(drawn[32:], plaintext, hashlib.sha256).digest()[:12]
    derived = derive_keys(KEY, material, context)
    assert (derived.cipher_key, derived.nonce(plaintext, b"")) == (drawn[:32], nonce)


def test_a_derived_key_is_plain_hkdf_and_gcm_to_whoever_holds_the_material() -> None:
    material, context = bytes(32), b"c"
    derived = derive_keys(KEY, material, context)
    key = HKDF(hashes.SHA256(), 32, None, context).derive(material)
    sealed = AESGCM(derived.cipher_key).encrypt(bytes(12), b"x", b"")
    assert AESGCM(key).decrypt(bytes(12), sealed, b"") == b"x"


def test_a_context_is_bounded_and_only_for_derived_keys(pool: KeyPool) -> None:
    for context in (b"", b"x" * (MAX_CONTEXT + 1)):
        with pytest.raises(Invalid):
            derive_keys(KEY, bytes(32), context)
    with pytest.raises(Invalid, match="not derived"):
        seal(pool, "plain", b"x", context=b64(b"c"))
    with pytest.raises(Invalid, match="nonce"):
        seal(pool, "plain", b"x", nonce=b64(bytes(12)))


@pytest.mark.parametrize(
    "options",
    [
        {"key_type": "ecdsa-p256", "derived": True},
        {"key_type": "hmac", "derived": True},
        {"key_type": "aes256-gcm96", "convergent_encryption": True},
        {"key_type": "aes256-gcm96", "auto_rotate_period": 3_599},
    ],
)
def test_what_can_not_be_is_refused_when_the_key_is_made(
    pool: KeyPool, options: dict[str, object]
) -> None:
    request = KeyRequest("new", str(options.pop("key_type")), **options)  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        pool.services.keys.create_key(KEEPER, request)


def test_vaults_answer_tells_what_a_key_is(pool: KeyPool) -> None:
    service = VaultService(pool)
    shown = service.call("GET", "/v1/transit/keys/c-sm4-gcm96", token="auditor")[2]["data"]
    told = ("derived", "convergent_encryption", "convergent_encryption_version", "kdf")
    assert [shown[name] for name in told] == [True, True, 3, "hkdf_sha256"]
    rewrapped = service.call(
        "POST",
        "/v1/transit/rewrap/c-sm4-gcm96",
        {
            "ciphertext": seal(pool, "c-sm4-gcm96", b"x", context=b64(b"c")),
            "context": b64(b"c"),
        },
    )
    assert rewrapped[0] == 200


@pytest.mark.parametrize("key_type", ["rsa-2048", "sm2"])
def test_keys_with_a_public_half_encrypt_short_texts(pool: KeyPool, key_type: str) -> None:
    pool.create(f"p-{key_type}", key_type, USER)
    text = seal(pool, f"p-{key_type}", b"short")
    opened = pool.services.transit.decrypt(USER, f"p-{key_type}", {"ciphertext": text})
    assert opened.plaintext == b"short"
    with pytest.raises(Invalid):
        seal(pool, f"p-{key_type}", b"x", associated_data=b64(b"a"))
    if key_type == "rsa-2048":
        with pytest.raises(Invalid):
            seal(pool, "p-rsa-2048", b"x" * 191)
