"""Keys made elsewhere: wrapped for our wrapping key as Vault's clients wrap them."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kms.core.keys.brought import check_material
from kms.errors.keys import KeyExists
from kms.models.keys import KEY_TYPES, KeyRequest
from kms.service.key_import import WrappedMaterial
from secops.crypto import key_transport, signatures
from secops.crypto import rsa as own_rsa
from secops.crypto.asymmetric import write_private
from secops.crypto.errors import DecryptionFailed
from secops.crypto.options import DEFAULT
from secops.kernel.errors import Forbidden, Invalid
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, USER, KeyPool, actor, open_key_pool
from tests.fakes.vault_service import VaultService


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path_factory.mktemp("import") / "home", clock=FakeClock()) as opened:
        yield opened


@pytest.fixture(scope="module")
def service(pool: KeyPool) -> VaultService:
    return VaultService(pool)


@pytest.fixture(scope="module")
def wrapping(service: VaultService) -> rsa.RSAPublicKey:
    answer = service.call("GET", "/v1/transit/wrapping_key", token="keeper")[2]["data"]
    found = load_pem_public_key(answer["public_key"].encode())
    assert isinstance(found, rsa.RSAPublicKey)
    assert found.key_size == 4_096
    return found


def wrapped(key: rsa.RSAPublicKey, material: bytes, chosen: hashes.HashAlgorithm) -> bytes:
    """As HashiCorp's documentation says: OAEP around an AES key, KWP around the material."""
    aes = bytes(range(32))
    oaep = padding.OAEP(padding.MGF1(chosen), chosen, None)
    return key.encrypt(aes, oaep) + keywrap.aes_key_wrap_with_padding(aes, material)


def test_a_brought_key_is_used_like_our_own(
    pool: KeyPool, service: VaultService, wrapping: rsa.RSAPublicKey
) -> None:
    pkcs8 = signatures.generate("ecdsa-p256")
    content = wrapped(wrapping, pkcs8, hashes.SHA256())
    body = {"ciphertext": base64.b64encode(content).decode(), "type": "ecdsa-p256"}
    assert service.call("POST", "/v1/transit/keys/b/import", body, token="keeper")[0] == 204
    pool.services.key_control.grant_key(KEEPER, "b", USER.id, ["sign"])
    made = service.call("POST", "/v1/transit/sign/b", {"input": "eA=="})[2]["data"]["signature"]
    public = signatures.private_key("ecdsa-p256", pkcs8).public_key
    public.verify(base64.b64decode(made.split(":")[2]), b"x", DEFAULT)
    shown = service.call("GET", "/v1/transit/keys/b", token="auditor")[2]["data"]
    assert (shown["imported_key"], shown["imported_key_allow_rotation"]) == (True, False)
    assert service.call("POST", "/v1/transit/keys/b/rotate", {}, token="keeper")[0] == 400
    assert service.call("POST", "/v1/transit/keys/b/import", body, token="keeper")[0] == 409
    other = wrapped(wrapping, signatures.generate("ecdsa-p256"), hashes.SHA512())
    more = {"ciphertext": base64.b64encode(other).decode(), "hash_function": "SHA512"}
    path = "/v1/transit/keys/b/import_version"
    assert service.call("POST", path, more, token="keeper")[0] == 204
    actions = [leaf["action"] for leaf in pool.leaves() if "import" in leaf["action"]]
    assert actions == ["kms.import_key", "kms.import_key_version"]


@pytest.mark.parametrize(
    ("key_type", "length"),
    [("aes256-gcm96", 32), ("aes128-gcm96", 16), ("sm4-gcm96", 16), ("hmac", 64)],
)
def test_symmetric_keys_are_brought_as_bytes(
    pool: KeyPool, wrapping: rsa.RSAPublicKey, key_type: str, length: int
) -> None:
    material = bytes(range(length))
    content = WrappedMaterial(wrapped(wrapping, material, hashes.SHA256()))
    request = KeyRequest(f"s-{key_type}", key_type, exportable=True)
    loaded = pool.services.key_import.import_key(KEEPER, request, content, allow_rotation=True)
    assert loaded.key.imported
    assert pool.services.keys.rotate_key(KEEPER, request.name).key.latest_version == 2
    with pytest.raises(KeyExists):
        pool.services.key_import.import_key(KEEPER, request, content)


def test_what_can_not_be_opened_or_is_no_such_key_is_refused(
    pool: KeyPool, wrapping: rsa.RSAPublicKey
) -> None:
    good = wrapped(wrapping, bytes(32), hashes.SHA256())
    service = pool.services.key_import
    for content in (b"", good[:-1], good[:512], good + b"x", good[::-1], b"x" * 20_000):
        with pytest.raises(Invalid):
            service.import_key(KEEPER, KeyRequest("n", "aes256-gcm96"), WrappedMaterial(content))
    wrong_hash = WrappedMaterial(good, "sha512")
    with pytest.raises(Invalid):
        service.import_key(KEEPER, KeyRequest("n", "aes256-gcm96"), wrong_hash)
    with pytest.raises(Invalid):
        service.import_key(KEEPER, KeyRequest("n", "aes128-gcm96"), WrappedMaterial(good))
    with pytest.raises(Forbidden):
        service.import_key(USER, KeyRequest("n", "aes256-gcm96"), WrappedMaterial(good))
    with pytest.raises(Forbidden):
        service.get_wrapping_key(USER)


def test_a_wrapped_key_that_another_organisation_overheard_opens_nowhere_else(
    pool: KeyPool, wrapping: rsa.RSAPublicKey
) -> None:
    overheard = WrappedMaterial(wrapped(wrapping, bytes(32), hashes.SHA256()))
    thief = actor("acc_thief", "security-admin", org="org_village")
    request = KeyRequest("mine", "aes256-gcm96", exportable=True)
    with pytest.raises(Invalid, match="can't be opened"):
        pool.services.key_import.import_key(thief, request, overheard)


def test_a_key_made_here_takes_no_brought_version(
    pool: KeyPool, service: VaultService, wrapping: rsa.RSAPublicKey
) -> None:
    pool.create("own", "aes256-gcm96")
    content = WrappedMaterial(wrapped(wrapping, bytes(32), hashes.SHA256()))
    with pytest.raises(Invalid, match="rotate it"):
        pool.services.key_import.import_key_version(KEEPER, "own", content)
    bad = {"ciphertext": "eA==", "hash_function": "MD5"}
    assert service.call("POST", "/v1/transit/keys/x/import", bad, token="keeper")[0] == 400


def test_material_is_looked_at_before_it_is_taken() -> None:
    short = write_private(rsa.generate_private_key(65_537, 2_048))
    check_material(KEY_TYPES["rsa-2048"], short)
    check_material(KEY_TYPES["hmac"], bytes(32))
    for name, material in (
        ("rsa-3072", short),
        ("ecdsa-p256", short),
        ("ed25519", b"rubbish"),
        ("aes256-gcm96", bytes(16)),
        ("hmac", bytes(31)),
        ("hmac", bytes(513)),
    ):
        with pytest.raises(Invalid):
            check_material(KEY_TYPES[name], material)


def test_key_transport_opens_what_was_wrapped_for_it_and_nothing_else() -> None:
    made = rsa.generate_private_key(65_537, 2_048)
    key = own_rsa.PrivateKey(write_private(made))
    content = wrapped(made.public_key(), b"material", hashes.SHA256())
    assert key_transport.unwrap_key(key, content) == b"material"
    odd = key.public_key.encrypt(bytes(20)) + content[256:]
    for bad in (odd, content[:-8], content[:256] + bytes(16)):
        with pytest.raises(DecryptionFailed):
            key_transport.unwrap_key(key, bad)
