"""SM2 against the standard's numbers, against openssl, and against misuse."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secops.crypto import der, known_answers, libcrypto, sm2
from secops.crypto.errors import (
    DecryptionFailed,
    EngineUnavailable,
    InvalidKey,
    InvalidSignature,
    MalformedEncoding,
)
from secops.crypto.pem import to_pem

KEY = sm2.PrivateKey.from_scalar(known_answers.SM2_SCALAR, known_answers.SM2_POINT)
SIGNATURE = der.raw_to_signature(known_answers.SM2_SIGNATURE, sm2.ORDER)
DISTID = "distid:1234567812345678"


def openssl(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], cwd=cwd, capture_output=True, check=False)


def test_za_and_e_are_the_standards() -> None:
    public = KEY.public_key
    assert public.identity_digest() == known_answers.SM2_IDENTITY_DIGEST
    assert public.message_digest(b"message digest") == known_answers.SM2_MESSAGE_DIGEST


def test_the_standards_signature_verifies_as_message_and_as_digest() -> None:
    KEY.public_key.verify(SIGNATURE, b"message digest")
    KEY.public_key.verify_digest(SIGNATURE, known_answers.SM2_MESSAGE_DIGEST)


def test_message_and_digest_signing_agree() -> None:
    digest = KEY.public_key.message_digest(b"m", b"id")
    KEY.public_key.verify(KEY.sign_digest(digest), b"m", b"id")
    KEY.public_key.verify_digest(KEY.sign(b"m", b"id"), digest)


@pytest.mark.parametrize("user_id", [b"", b"12345678", b"1234567812345679", b"x" * 8191])
def test_a_wrong_user_id_is_a_wrong_signature(user_id: bytes) -> None:
    signature = KEY.sign(b"m")
    with pytest.raises(InvalidSignature):
        KEY.public_key.verify(signature, b"m", user_id)


def test_a_user_id_too_long_for_its_length_field_is_refused() -> None:
    for attempt in (
        lambda: KEY.sign(b"m", b"x" * 8192),
        lambda: KEY.public_key.identity_digest(b"x" * 8192),
    ):
        with pytest.raises(InvalidKey):
            attempt()


@settings(max_examples=40)
@given(st.binary(max_size=2_000), st.binary(max_size=40))
def test_signatures_verify_for_their_message_and_id_only(message: bytes, user_id: bytes) -> None:
    signature = KEY.sign(message, user_id)
    KEY.public_key.verify(signature, message, user_id)
    with pytest.raises(InvalidSignature):
        KEY.public_key.verify(signature, message + b"x", user_id)


@settings(max_examples=60)
@given(st.integers(0, len(SIGNATURE) * 8 - 1))
def test_no_bit_of_a_signature_may_change(bit: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        KEY.public_key.verify(bytes(changed), b"message digest")


@pytest.mark.parametrize("r", [0, sm2.ORDER])
def test_r_and_s_out_of_range_are_refused(r: int) -> None:
    signature = der.encode_sequence(der.encode_unsigned(r), der.encode_unsigned(1))
    with pytest.raises(InvalidSignature):
        KEY.public_key.verify(signature, b"message digest")
    with pytest.raises(InvalidSignature):
        KEY.public_key.verify_digest(signature, bytes(32))


def test_a_raw_signature_is_not_taken_for_der() -> None:
    with pytest.raises(InvalidSignature):
        KEY.public_key.verify(known_answers.SM2_SIGNATURE, b"message digest")


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33)])
def test_a_digest_has_32_bytes(digest: bytes) -> None:
    with pytest.raises(MalformedEncoding):
        KEY.sign_digest(digest)
    with pytest.raises(MalformedEncoding):
        KEY.public_key.verify_digest(SIGNATURE, digest)


def test_keys_come_back_from_their_encodings() -> None:
    made = sm2.PrivateKey.generate()
    assert sm2.PrivateKey(made.der).public_key.der == made.public_key.der
    assert (len(made.der), len(made.public_key.der)) == (138, 91)


@settings(max_examples=20)
@given(st.data())
def test_a_compressed_point_is_expanded(data: st.DataObject) -> None:
    point = sm2.PrivateKey.generate().public_key.point
    compressed = bytes((2 + (point[-1] & 1),)) + point[1:33]
    assert sm2.PublicKey.from_point(compressed).point == point


@pytest.mark.parametrize(
    "point",
    [
        b"",
        b"\0",
        bytes(65),
        b"\x04" + bytes(64),
        known_answers.SM2_POINT[:-1] + b"\x14",
        b"\x06" + known_answers.SM2_POINT[1:],
        b"\x02" + b"\xff" * 32,
    ],
)
def test_a_point_off_the_curve_is_no_key(point: bytes) -> None:
    with pytest.raises(InvalidKey):
        sm2.PublicKey.from_point(point)


def test_keys_of_another_curve_are_refused() -> None:
    with pytest.raises(InvalidKey):
        sm2.PublicKey(known_answers.ECDSA_SPKI)
    with pytest.raises(InvalidKey):
        sm2.PrivateKey(known_answers.ED25519_PKCS8)


def test_a_private_key_whose_public_half_differs_is_refused() -> None:
    other = sm2.PrivateKey.generate()
    with pytest.raises(InvalidKey):
        sm2.PrivateKey.from_scalar(known_answers.SM2_SCALAR, other.public_key.point)


@pytest.mark.parametrize("scalar", [bytes(32), b"\xff" * 32])
def test_a_scalar_out_of_range_is_refused(scalar: bytes) -> None:
    with pytest.raises(InvalidKey):
        sm2.PrivateKey.from_scalar(scalar, known_answers.SM2_POINT)


def test_the_standards_ciphertext_decrypts() -> None:
    ciphertext = sm2.raw_to_ciphertext(known_answers.SM2_CIPHERTEXT)
    assert KEY.decrypt(ciphertext) == b"encryption standard"
    assert sm2.ciphertext_to_raw(ciphertext) == known_answers.SM2_CIPHERTEXT


@settings(max_examples=20)
@given(st.binary(min_size=1, max_size=300))
def test_what_is_encrypted_decrypts_and_no_bit_may_change(plaintext: bytes) -> None:
    ciphertext = KEY.public_key.encrypt(plaintext)
    assert KEY.decrypt(ciphertext) == plaintext
    changed = ciphertext[:-1] + bytes((ciphertext[-1] ^ 1,))
    with pytest.raises((DecryptionFailed, MalformedEncoding)):
        KEY.decrypt(changed)


def test_the_order_of_before_2012_is_read_where_it_is_said_and_never_guessed() -> None:
    new = known_answers.SM2_CIPHERTEXT
    old = new[:65] + new[97:] + new[65:97]
    private = sm2.PrivateKey.from_scalar(known_answers.SM2_SCALAR, known_answers.SM2_POINT)
    read = sm2.raw_to_ciphertext(old, "c1c2c3")
    assert private.decrypt(read) == known_answers.SM2_PLAINTEXT
    assert sm2.ciphertext_to_raw(read, "c1c2c3") == old
    assert sm2.ciphertext_to_raw(read) == new
    with pytest.raises(DecryptionFailed):
        private.decrypt(sm2.raw_to_ciphertext(old))


@pytest.mark.parametrize("raw", [b"", bytes(97), b"\x04" + bytes(96), b"\x05" + bytes(120)])
def test_raw_ciphertexts_of_another_form_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedEncoding):
        sm2.raw_to_ciphertext(raw)


def test_ciphertexts_of_another_form_have_no_raw_form() -> None:
    number = der.encode_unsigned(2**256)
    octets = der.encode(der.OCTET_STRING, bytes(32))
    for encoded in (
        der.encode_sequence(number, number),
        der.encode_sequence(number, number, octets, octets),
        der.encode_sequence(number, number, der.encode(der.OCTET_STRING, b""), octets),
    ):
        with pytest.raises(MalformedEncoding):
            sm2.ciphertext_to_raw(encoded)


def test_nothing_can_not_be_encrypted() -> None:
    with pytest.raises(InvalidKey):
        KEY.public_key.encrypt(b"")


def test_one_key_serves_many_threads() -> None:
    key = sm2.PrivateKey.generate()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for number in range(20):
                message = str(number).encode()
                key.public_key.verify(key.sign(message), message)
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_without_openssl_3_sm2_is_refused_and_never_emulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(libcrypto, "_LIBRARY", "libcrypto.so.absent")
    libcrypto.library.cache_clear()
    try:
        with pytest.raises(EngineUnavailable):
            sm2.PrivateKey.generate()
    finally:
        monkeypatch.undo()
        libcrypto.library.cache_clear()


def test_an_older_openssl_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "_OPENSSL_3", 0x7FFFFFFF)
    libcrypto.library.cache_clear()
    try:
        with pytest.raises(EngineUnavailable):
            libcrypto.library()
    finally:
        monkeypatch.undo()
        libcrypto.library.cache_clear()
    assert libcrypto.version().startswith("OpenSSL 3")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "key.pem").write_text(to_pem("PRIVATE KEY", KEY.der))
    (tmp_path / "public.pem").write_text(to_pem("PUBLIC KEY", KEY.public_key.der))
    (tmp_path / "message").write_bytes("公文".encode())
    return tmp_path


@pytest.mark.usefixtures("openssl_command")
def test_openssl_verifies_our_signature(files: Path) -> None:
    (files / "signature").write_bytes(KEY.sign("公文".encode()))
    arguments = ("dgst", "-sm3", "-verify", "public.pem", "-signature", "signature")
    good = openssl(*arguments, "-sigopt", DISTID, "message", cwd=files)
    assert (good.returncode, good.stdout) == (0, b"Verified OK\n")
    without_id = openssl(*arguments, "message", cwd=files)
    assert without_id.returncode == 1


@pytest.mark.usefixtures("openssl_command")
def test_we_verify_openssls_signature(files: Path) -> None:
    arguments = ("dgst", "-sm3", "-sign", "key.pem", "-sigopt", DISTID)
    made = openssl(*arguments, "-out", "signature", "message", cwd=files)
    assert made.returncode == 0
    KEY.public_key.verify((files / "signature").read_bytes(), "公文".encode())


@pytest.mark.usefixtures("openssl_command")
def test_we_verify_openssls_signature_over_a_digest(files: Path) -> None:
    digest = KEY.public_key.message_digest("公文".encode())
    (files / "digest").write_bytes(digest)
    made = openssl("pkeyutl", "-sign", "-inkey", "key.pem", "-in", "digest", "-out", "s", cwd=files)
    assert made.returncode == 0
    KEY.public_key.verify_digest((files / "s").read_bytes(), digest)


@pytest.mark.usefixtures("openssl_command")
def test_openssl_decrypts_what_we_encrypt_and_we_what_it_encrypts(files: Path) -> None:
    (files / "ciphertext").write_bytes(KEY.public_key.encrypt(b"secret"))
    opened = openssl("pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "ciphertext", cwd=files)
    assert opened.stdout == b"secret"
    arguments = ("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message")
    made = openssl(*arguments, cwd=files)
    assert KEY.decrypt(made.stdout) == "公文".encode()


@pytest.mark.usefixtures("openssl_command")
def test_a_key_that_openssl_made_is_read(files: Path) -> None:
    openssl("genpkey", "-algorithm", "SM2", "-out", "made.pem", cwd=files)
    arguments = ("pkcs8", "-topk8", "-nocrypt", "-in", "made.pem", "-outform", "DER")
    key = sm2.PrivateKey(openssl(*arguments, cwd=files).stdout)
    key.public_key.verify(key.sign(b"m"), b"m")
